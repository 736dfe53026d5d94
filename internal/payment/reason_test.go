package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// A catalogue is read as it was kept, and a line that is about nothing says nothing.
func TestCatalogueOfReasonsIsKept(t *testing.T) {
	t.Parallel()
	reasons := []payment.Reason{
		{Code: "returned", Title: "Returned = back", Words: map[payment.Door]string{"ping": "other", "x": "a=b"}},
		{Code: "recall"}, {Code: "fraud", Words: map[payment.Door]string{"ping": "fraudulent"}},
	}
	values := setting.Values(payment.ReasonSettings(reasons))
	if diff := cmp.Diff(reasons, payment.ReasonsOf(values)); diff != "" {
		t.Errorf("(-kept +read):\n%s", diff)
	}
	values[payment.ReasonTitles.Name] = []string{"nonsense", "gone=Gone", "recall=Recall"}
	values[payment.ReasonWords.Name] = []string{"nonsense", "fraud=ping", "gone=ping=other"}
	want := []payment.Reason{{Code: "returned"}, {Code: "recall", Title: "Recall"}, {Code: "fraud"}}
	if diff := cmp.Diff(want, payment.ReasonsOf(values)); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
	if got := payment.ReasonsOf(nil); got != nil {
		t.Errorf("without settings there are %v", got)
	}
}
