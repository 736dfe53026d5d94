package dialecttest_test

import (
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// tooMany returns how a door says that a day has no room for a refund.
func tooMany(d door) said {
	if d.name == "api" {
		return said{403, "velocity_exceeded", 0}
	}
	return policyNo[d.name]
}

// Each door's key has a day of its own; the next UTC day is another.
func TestAKeysDayIsFullAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.daily_count_key", int64(1))
		for range 2 {
			for _, d := range doors {
				if got := d.refund(w, d.pay(w), "5000"); got.Status/100 != 2 {
					t.Errorf("the first at %s: %d %s", d.name, got.Status, got.Raw)
				}
				named := d.pay(w)
				saysNo(w, "the second", d, named, d.refund(w, named, "5000"), tooMany(d))
			}
			w.Advance("24h")
		}
		w.Set("policy.daily_count_key", nil)
		w.Set("policy.daily_amount_key", int64(14_999))
		for _, d := range doors {
			mustBe(w, "the first at "+d.name, d.refund(w, d.pay(w), "10000"), 200+map[string]int{"api": 1}[d.name])
			named := d.pay(w)
			saysNo(w, "too much", d, named, d.refund(w, named, "5000"), tooMany(d))
		}
		w.Clean()
	})
}

// A person who is named has one day at all doors together, and is known
// afterwards; who is not named is not counted. A name that is none is refused.
func TestAPersonsDayIsFullAtEveryDoor(t *testing.T) {
	dialecttest.OnBoth(t, func(t *testing.T, w *dialecttest.World) {
		w.Set("policy.daily_count_user", int64(len(doors)))
		for _, d := range doors {
			named := d.pay(w)
			if got := d.refund(w, named, "5000", "Refundry-User", "anna"); got.Status/100 != 2 {
				t.Errorf("%s: %d %s", d.name, got.Status, got.Raw)
			}
			refund := w.API("GET", "/v1/refunds/"+text(totals(w, d, named).At("refunds.0.id")), "")
			if refund.At("user") != "anna" {
				t.Errorf("%s: %s", d.name, refund.Raw)
			}
		}
		for _, d := range doors {
			named := d.pay(w)
			saysNo(w, "one more", d, named, d.refund(w, named, "5000", "Refundry-User", "anna"), tooMany(d))
			for _, wrong := range []string{"no blanks", "4242424242424242"} {
				if got := d.refund(w, named, "5000", "Refundry-User", wrong); got.Status != 400 && got.Status != 422 {
					t.Errorf("%q at %s: %d %s", wrong, d.name, got.Status, got.Raw)
				}
			}
			if got := d.refund(w, named, "5000", "Refundry-User", "berta"); got.Status/100 != 2 {
				t.Errorf("another at %s: %d %s", d.name, got.Status, got.Raw)
			}
		}
		w.Clean()
	})
}
