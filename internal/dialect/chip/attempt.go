package chip

import (
	"cmp"
	"slices"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// The kinds of attempt.
const (
	attemptExecute   = "execute"
	attemptAuthorize = "authorize"
	attemptCapture   = "capture"
	attemptRelease   = "release"
	attemptRecurring = "recurring_execute"
	attemptRefund    = "refund"
)

// transactionData is what was tried, and with what.
type transactionData struct {
	PaymentMethod string    `json:"payment_method"`
	Flow          string    `json:"flow"`
	Extra         extra     `json:"extra"`
	Country       string    `json:"country"`
	Attempts      []attempt `json:"attempts,omitzero"` // newest first; a refund's Payment has none
}

// attempt is one thing that was tried with a processor.
type attempt struct {
	Type           string      `json:"type"`
	Flow           string      `json:"flow"`
	Error          *flaw       `json:"error"`
	Extra          extra       `json:"extra"`
	Country        string      `json:"country"`
	ClientIP       string      `json:"client_ip"`
	FeeAmount      money.Minor `json:"fee_amount"`
	Successful     bool        `json:"successful"`
	PaymentMethod  string      `json:"payment_method"`
	ProcessingTime int64       `json:"processing_time"`

	version int64
}

// extra is what is known of the means of payment, and of an amount.
type extra struct {
	Amount *money.Minor `json:"amount,omitempty"`
	*card
}

// card is what is kept of one: never its number.
type card struct {
	Type     string `json:"card_type"`
	Brand    string `json:"card_brand"`
	Masked   string `json:"masked_pan"`
	Issuer   string `json:"card_issuer"`
	Year     int    `json:"expiry_year"` // two digits
	Month    int    `json:"expiry_month"`
	Holder   string `json:"cardholder_name"`
	IssuedIn string `json:"card_issuer_country"`
}

// methodOf returns what a purchase is paid with: a word, and its card; nothing
// before somebody has paid. Of a card that was used elsewhere only the end of
// its number is known.
func methodOf(p payment.Payment, doc document) (method string, of *card) {
	switch {
	case doc.Paid != nil:
		return doc.Paid.Method, doc.Paid.Card
	case p.Captured == 0 && p.History.ReachedAt(payment.PaymentAuthorized).IsZero():
		return "", nil
	case p.Method.Type != "card":
		return p.Method.Type, nil
	case p.Method.Last4 == "":
		return p.Method.Brand, nil
	}
	return p.Method.Brand, &card{Brand: p.Method.Brand, Masked: "************" + p.Method.Last4}
}

// data returns what was tried with a purchase.
func (s shown) data() transactionData {
	method, of := methodOf(s.view.Payment, s.doc)
	data := transactionData{PaymentMethod: method, Flow: s.flow(), Extra: extra{card: of}, Attempts: s.attempts()}
	if s.doc.Paid != nil {
		data.Country = s.doc.Paid.Country
	}
	if data.Country == "" && s.view.Payment.Captured > 0 {
		data.Country = s.view.Payment.Country
	}
	return data
}

func (s shown) flow() string {
	if s.doc.Paid != nil {
		return s.doc.Paid.Flow
	}
	return flowPage
}

// attempts returns what was tried, newest first. Of a refund only its end is one.
func (s shown) attempts() []attempt {
	list := []attempt{}
	for _, try := range s.doc.tries {
		list = append(list, attempt{
			Type: attemptExecute, Flow: try.Flow, Error: try.Error, Extra: extra{card: try.Card}, ClientIP: try.IP,
			PaymentMethod: methodOfCard(try.Card), ProcessingTime: try.At, version: try.version,
		})
	}
	list = append(list, s.taken()...)
	for _, refund := range s.view.Refunds {
		list = append(list, s.refundAttempts(refund)...)
	}
	slices.SortStableFunc(list, func(a, b attempt) int { return cmp.Compare(b.version, a.version) })
	return list
}

// taken returns how the money was taken, or could not be.
func (s shown) taken() []attempt {
	p := s.view.Payment
	var list []attempt
	add := func(kind string, mark payment.Mark[payment.PaymentStatus], err *flaw) {
		made := s.attempt(kind, mark.Version, mark.At.Unix())
		made.Error, made.Successful = err, err == nil
		if s.doc.Paid != nil && (kind == attemptExecute || kind == attemptAuthorize) {
			made.ClientIP = s.doc.Paid.IP
		}
		list = append(list, made)
	}
	isHeld, last := false, payment.PaymentStatus("")
	for _, mark := range p.History {
		isNew := mark.Status != last
		last = mark.Status
		switch {
		case mark.Note == payment.NoteDocument:
		case mark.Status == payment.PaymentCaptured && s.doc.Paid != nil && s.doc.Paid.IsMarked: // nobody tried anything
		case mark.Status == payment.PaymentCaptured && isNew && isHeld:
			add(attemptCapture, mark, nil)
		case mark.Status == payment.PaymentCaptured && isNew && s.doc.Paid != nil && s.doc.Paid.Token != "":
			add(attemptRecurring, mark, nil)
		case mark.Status == payment.PaymentCaptured && isNew:
			add(attemptExecute, mark, nil)
		case mark.Status == payment.PaymentAuthorized && isNew:
			add(attemptAuthorize, mark, nil)
		case mark.Status == payment.PaymentCanceled && isHeld:
			add(attemptRelease, mark, nil)
		case mark.Status == payment.PaymentDeclined, mark.Status == payment.PaymentFailed:
			add(attemptExecute, mark, generalError(""))
		}
		isHeld = isHeld || mark.Status == payment.PaymentAuthorized
	}
	return list
}

// attempt returns an attempt with what the purchase is paid with.
func (s shown) attempt(kind string, version, at int64) attempt {
	data := transactionData{Flow: s.flow()}
	method, of := methodOf(s.view.Payment, s.doc)
	if data.Country = s.view.Payment.Country; s.doc.Paid != nil {
		data.Country = s.doc.Paid.Country
	}
	return attempt{
		Type: kind, Flow: data.Flow, Extra: extra{card: of}, Country: data.Country, PaymentMethod: method,
		ProcessingTime: at, version: version,
	}
}

// refundAttempts returns the ends of a refund: there are two of one whose
// money came back.
func (s shown) refundAttempts(r payment.Refund) []attempt {
	var list []attempt
	last := payment.RefundStatus("")
	for _, mark := range r.History {
		isNew := mark.Status != last
		if last = mark.Status; !isNew || mark.Status.IsRunning() {
			continue
		}
		made := s.attempt(attemptRefund, mark.Version, mark.At.Unix())
		made.Extra.Amount = &r.Amount.Minor
		if made.Successful = mark.Status == payment.RefundSucceeded; made.Successful {
			made.FeeAmount = s.fee(r)
		} else {
			made.Error = refundError(r.Failure)
		}
		list = append(list, made)
	}
	return list
}

// errGeneral is why something failed of which no more is known.
const errGeneral = "general_transaction_error"

func generalError(message string) *flaw {
	if message == "" {
		message = "General transaction error"
	}
	return &flaw{message, errGeneral}
}

// refundErrors says how failures of refunds are said. The provider's list is
// longer, and open.
var refundErrors = map[string]string{
	"insufficient_funds":              "insufficient_funds",
	"invalid_amount":                  "invalid_amount",
	"partial_forbidden":               "partial_forbidden",
	"exceeded_acquirer_refund_amount": "exceeded_acquirer_refund_amount",
	"timeout":                         "timeout",
	"issuer_not_available":            "issuer_not_available",
	"acquirer_connection_error":       "acquirer_connection_error",
	"acquirer_internal_error":         "acquirer_internal_error",
	"processor_error":                 "acquirer_internal_error",
}

func refundError(f payment.Failure) *flaw {
	code, ok := refundErrors[f.Code]
	if !ok {
		return generalError(f.Message)
	}
	message := f.Message
	if message == "" {
		message = code
	}
	return &flaw{message, code}
}
