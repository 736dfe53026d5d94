package chip

import "time"

// options is what a merchant may say of a purchase beside what is bought and
// by whom. It is echoed as it is.
type options struct {
	SendReceipt            bool     `json:"send_receipt"`
	SkipCapture            bool     `json:"skip_capture"`
	ForceRecurring         bool     `json:"force_recurring"`
	Reference              string   `json:"reference"`
	Notes                  string   `json:"notes"`
	Issued                 string   `json:"issued"`
	Due                    int64    `json:"due"`
	PaymentMethodWhitelist []string `json:"payment_method_whitelist"`
	SuccessRedirect        string   `json:"success_redirect"`
	FailureRedirect        string   `json:"failure_redirect"`
	CancelRedirect         string   `json:"cancel_redirect"`
	SuccessCallback        string   `json:"success_callback"`
	CreatorAgent           string   `json:"creator_agent"`
	Platform               string   `json:"platform"`
	Product                string   `json:"product"`
	OrderID                *string  `json:"order_id"`
	Tags                   []string `json:"tags"`
}

const (
	referenceMax = 128
	dueAfter     = time.Hour
	issuedLayout = "2006-01-02"
)

// newOptions returns what is so if nothing is said.
func newOptions(created time.Time) *options {
	return &options{
		Issued: created.UTC().Format(issuedLayout), Due: created.Add(dueAfter).Unix(), Platform: "api", Product: "purchases",
		Tags: []string{},
	}
}

// readOptions reads what a purchase's body says.
func readOptions(f form, now time.Time) *options {
	o := newOptions(now)
	o.SendReceipt, o.SkipCapture = f.flag("send_receipt"), f.flag("skip_capture")
	o.ForceRecurring = f.flag("force_recurring")
	o.Reference, o.Notes = f.text("reference", referenceMax), f.text("notes", notesMax)
	o.SuccessRedirect, o.FailureRedirect = f.url("success_redirect"), f.url("failure_redirect")
	o.CancelRedirect, o.SuccessCallback = f.url("cancel_redirect"), f.url("success_callback")
	o.CreatorAgent = f.text("creator_agent", textMax)
	for name, to := range map[string]*string{"platform": &o.Platform, "product": &o.Product} {
		if text := f.text(name, textMax); text != "" {
			*to = text
		}
	}
	if text := f.text("issued", len(issuedLayout)); text != "" {
		if _, err := time.Parse(issuedLayout, text); err != nil {
			f.flaw("issued", codeInvalid, "Date has wrong format. Use YYYY-MM-DD.")
		}
		o.Issued = text
	}
	o.PaymentMethodWhitelist = f.texts("payment_method_whitelist", textMax)
	if tags := f.texts("tags", textMax); tags != nil {
		o.Tags = tags
	}
	if f.has("order_id") {
		text := f.text("order_id", textMax)
		o.OrderID = &text
	}
	readDue(f, o, now)
	return o
}

// readDue reads until when a purchase is to be paid.
func readDue(f form, o *options, now time.Time) {
	due, ok := f.whole("due", 0)
	switch {
	case !ok:
	case int64(due) <= now.Unix():
		f.flaw("due", "due_not_greater_than_now", "`due` must be greater than now.")
	case int64(due) > dueMax:
		f.flaw("due", codeMaxValue, "`due` is too late.")
	default:
		o.Due = int64(due)
	}
}

// dueMax is the end of the year 9999: later times cannot be written down.
const dueMax = 253402300799
