package dialecttest_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// A payment that was made at one door can be read and refunded at every other
// door of the same tenant, and all of them see the same money.
func TestEveryDoorReadsAndRefundsWhatOthersTook(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		for _, home := range doors {
			named := home.pay(w)
			paid := totals(w, home, named)
			refunded := int64(0)
			for n, other := range doors {
				where := fmt.Sprintf("made at %s, refunded at %s", home.name, other.name)
				foreign := named
				if other.name != home.name {
					foreign = other.names(paid)
				}
				if got := other.read(w, foreign); got.Status != http.StatusOK {
					t.Errorf("%s: read %d %s", where, got.Status, got.Raw)
					continue
				}
				amount := int64(1000 + n)
				got := other.refund(w, foreign, fmt.Sprint(amount))
				if got.Status/100 != 2 {
					t.Errorf("%s: %d %s", where, got.Status, got.Raw)
					continue
				}
				refunded += amount
				dialecttest.Eventually(t, where, func() bool { return minor(totals(w, home, named).At("refunded")) == refunded })
				found := false
				for _, shown := range other.refunds(other.read(w, foreign)) {
					found = found || shown.amount == amount
				}
				if !found {
					t.Errorf("%s: it is not shown there: %s", where, other.read(w, foreign).Raw)
				}
			}
		}
		w.Clean()
	})
}
