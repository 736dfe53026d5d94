package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// A dispute that takes what was given back is a risk to lose it twice: it says
// so, is found by it, and stops saying so once it is won.
func TestDisputesShowDoubleLosses(t *testing.T) {
	onBoth(t, func(t *testing.T, w *world) {
		of := w.capture(t, "1000")
		refund := w.call(t, "POST", "/v1/refunds", refundOf(of, 600)).want(t, 201).string(t, "id")
		eventually(t, "the refund succeeds", func() bool {
			return w.call(t, "GET", "/v1/refunds/"+refund, "").body["status"] == "succeeded"
		})
		harmless := w.operate(t, "POST", "/v1/disputes", `{"payment": "`+w.capture(t, "50")+`", "amount": 20}`).want(t, 201)
		opened := w.operate(t, "POST", "/v1/disputes", `{"payment": "`+of+`", "amount": 900, "is_fact": true}`).want(t, 201)
		if !strings.Contains(opened.text, `"double_loss":500,"double_loss_risk":true`) || strings.Contains(harmless.text, "double_loss") {
			t.Errorf("got %s and %s", opened.text, harmless.text)
		}
		risky := fmt.Sprint(opened.body["dispute"].(map[string]any)["id"])
		find := func(query string) []string {
			var ids []string
			disputes, _ := w.call(t, "GET", "/v1/disputes?"+query, "").want(t, 200).body["disputes"].([]any)
			for _, dispute := range disputes {
				ids = append(ids, fmt.Sprint(dispute.(map[string]any)["id"]))
			}
			return ids
		}
		if got := find("double_loss_risk=true"); len(got) != 1 || got[0] != risky {
			t.Errorf("the risks are %v", got)
		}
		if got := find("payment=" + of + "&status=open&kind=dispute"); len(got) != 1 || got[0] != risky {
			t.Errorf("of the payment are %v", got)
		}
		if got := find("limit=1"); len(got) != 1 || got[0] != risky {
			t.Errorf("the newest is %v", got)
		}
		exposed := w.call(t, "GET", "/v1/payments/"+of+"/refundability", "").want(t, 200)
		if !strings.Contains(exposed.text, `"total":1500,"double_loss":500`) {
			t.Errorf("exposed to %s", exposed.text)
		}
		won := w.operate(t, "POST", "/v1/disputes/"+risky+"/move", `{"to": "won"}`).want(t, 200)
		if strings.Contains(won.text, "double_loss_risk") || len(find("double_loss_risk=true")) != 0 {
			t.Errorf("won, and still a risk: %s", won.text)
		}
	})
}
