package dialecttest_test

import (
	"net/http"
	"net/netip"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/service"
)

// The trail says from which address a refund was asked for, at whichever door;
// of a payer it keeps none.
func TestTheTrailSaysFromWhereAtEveryDoor(t *testing.T) {
	t.Parallel()
	w := dialecttest.Start(t, "", func(c *service.Config) { c.Proxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	for _, door := range doors {
		named := door.pay(w)
		if got := door.refund(w, named, "100", "X-Forwarded-For", "192.0.2.1, 198.51.100.9"); got.Status >= http.StatusMultipleChoices {
			t.Fatalf("%s: %s", door.name, got)
		}
		trail := mustBe(w, "the trail", w.API(http.MethodGet, "/v1/audit?kind=refund.created&limit=1", ""), 200)
		if text(trail.At("entries.0.address")) != "198.51.100.9" {
			t.Errorf("%s: %s", door.name, trail)
		}
	}
	payers := list(mustBe(w, "the trail", w.API(http.MethodGet, "/v1/audit?actor=payer", ""), 200).At("entries"))
	for _, entry := range payers {
		if address := dialecttest.At(entry, "address"); address != nil {
			t.Errorf("of a payer: %v", entry)
		}
	}
	if len(payers) == 0 {
		t.Error("no payer has done anything")
	}
	w.Clean()
}
