package payment_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// A catalogue is read as it was kept, and a line that is about nothing says nothing.
func TestCatalogueOfReasonsIsKept(t *testing.T) {
	t.Parallel()
	reasons := []payment.Reason{
		{Code: "returned", Title: "Returned = back", Words: map[payment.Door]string{"ping": "other", "x": "a=b"}},
		{Code: "recall", DefaultAt: []payment.Door{"chip", "ping"}}, {Code: "old", IsRetired: true},
		{Code: "fraud", Words: map[payment.Door]string{"ping": "fraudulent"}},
	}
	values := setting.Values(payment.ReasonSettings(reasons))
	if diff := cmp.Diff(reasons, payment.ReasonsOf(values)); diff != "" {
		t.Errorf("(-kept +read):\n%s", diff)
	}
	values[payment.ReasonTitles.Name] = []string{"nonsense", "gone=Gone", "recall=Recall"}
	values[payment.ReasonWords.Name] = []string{"nonsense", "fraud=ping", "gone=ping=other"}
	values[payment.ReasonDefaults.Name] = []string{"nonsense", "gone=ping"}
	values[payment.ReasonsRetired.Name] = []string{"gone"}
	want := []payment.Reason{{Code: "returned"}, {Code: "recall", Title: "Recall"}, {Code: "old"}, {Code: "fraud"}}
	if diff := cmp.Diff(want, payment.ReasonsOf(values)); diff != "" {
		t.Errorf("(-want +read):\n%s", diff)
	}
	if got := payment.ReasonsOf(nil); got != nil {
		t.Errorf("without settings there are %v", got)
	}
}

// catalogue has reasons that doors call alike, one by default, one that is retired.
var catalogue = setting.Values(payment.ReasonSettings([]payment.Reason{
	{Code: "abuse", Words: map[payment.Door]string{"ping": "fraudulent"}, IsRetired: true},
	{Code: "returned", Words: map[payment.Door]string{"ping": "requested_by_customer", "primer": "Goods came back"}},
	{Code: "regret", Words: map[payment.Door]string{"ping": "requested_by_customer"}},
	{Code: "late", DefaultAt: []payment.Door{"chip"}},
}))

// A door's word becomes the tenant's code, and what the catalogue does not know
// is no reason to refuse what a door's specification has.
func TestADoorsWordBecomesACode(t *testing.T) {
	listed := func(text string) payment.ReasonWord { return payment.ReasonWord{Text: text, IsListed: true} }
	free := func(text string) payment.ReasonWord { return payment.ReasonWord{Text: text} }
	required := setting.Values{payment.PolicyReasonRequired.Name: true}
	must := setting.Values(payment.ReasonSettings(payment.ReasonsOf(catalogue)))
	must[payment.PolicyReasonRequired.Name] = true
	check(t, func(t *rapid.T) {
		for name, test := range map[string]struct {
			settings setting.Values
			door     payment.Door
			word     payment.ReasonWord
			want     string // or the rule that says no
		}{
			"no catalogue":              {nil, "ping", listed("fraudulent"), "fraudulent"},
			"no catalogue, a free text": {required, "primer", free("It broke"), ""},
			"no catalogue, nothing":     {required, "primer", free(""), string(payment.RuleReason)},
			"the first of its word":     {must, "ping", listed("requested_by_customer"), "returned"},
			"of a retired reason":       {must, "ping", listed("fraudulent"), "fraudulent"},
			"of no reason":              {must, "ping", listed("other"), "other"},
			"the code itself":           {must, "ping", listed("regret"), "regret"},
			"another door's word":       {must, "primer", free("requested_by_customer"), string(payment.RuleReason)},
			"a free text that is known": {must, "primer", free("Goods came back"), "returned"},
			"a free text":               {catalogue, "primer", free("It broke"), ""},
			"by default":                {must, "chip", free(""), "late"},
			"no default":                {must, "smartglocal", free(""), string(payment.RuleReason)},
		} {
			m := policed(t, test.settings, 1000)
			meta := m.meta()
			meta.Door = test.door
			answer, err := m.run(t, payment.OpenRefund{
				Meta: meta, Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1}, Word: test.word,
			})
			if got := answer.Refund.Reason + string(rule(err)); got != test.want {
				t.Fatalf("%s: %q, want %q", name, got, test.want)
			}
		}
	})
}

// A reason that is retired is taken by no refund, but for the retry of one that
// has it; so is a door's word that is no code.
func TestRetiredReasons(t *testing.T) {
	check(t, func(t *rapid.T) {
		m := policed(t, catalogue, 1000)
		open := func(reason string, retryOf payment.RefundID) (payment.Refund, payment.RuleName) {
			answer, err := m.run(t, payment.OpenRefund{
				Meta: m.meta(), Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1}, Reason: reason, RetryOf: retryOf,
			})
			return answer.Refund, rule(err)
		}
		if _, got := open("abuse", payment.RefundID{}); got != payment.RuleReason {
			t.Fatalf("a retired reason: %s", got)
		}
		meta := m.meta()
		meta.Door = "ping"
		answer, err := m.run(t, payment.OpenRefund{
			Meta: meta, Payment: m.view.Payment.ID, Ask: payment.Ask{Amount: 1},
			Word: payment.ReasonWord{Text: "fraudulent", IsListed: true},
		})
		if err != nil {
			t.Fatal(err)
		}
		m.end(t, answer.Refund, payment.AttemptFailed)
		if _, got := open("fraudulent", payment.RefundID{}); got != payment.RuleReason {
			t.Fatalf("a door's word at our own: %s", got)
		}
		if _, got := open("regretted", answer.Refund.ID); got != payment.RuleReason {
			t.Fatalf("a retry for something else: %s", got)
		}
		if again, got := open("fraudulent", answer.Refund.ID); got != "" || again.Reason != "fraudulent" {
			t.Fatalf("a retry: %s %s", again.Reason, got)
		}
	})
}

// The word for a code is its door's, and only of the catalogue.
func TestWordForACode(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		door payment.Door
		code string
		want string
	}{
		{"ping", "returned", "requested_by_customer"}, {"primer", "returned", "Goods came back"}, {"primer", "regret", ""},
		{"ping", "abuse", "fraudulent"}, {"ping", "late", ""}, {"ping", "gone", ""},
	} {
		values := setting.Values{payment.ReasonWords.Name: append([]string{"gone=ping=other"}, payment.ReasonWords.Of(catalogue)...)}
		values[payment.PolicyReasons.Name] = payment.PolicyReasons.Of(catalogue)
		if got := payment.WordFor(values, test.door, test.code); got != test.want {
			t.Errorf("%s at %s: %q, want %q", test.code, test.door, got, test.want)
		}
	}
}
