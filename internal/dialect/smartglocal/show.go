package smartglocal

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// answer is every answer's envelope.
type answer struct {
	Status  string   `json:"status"`
	Session *session `json:"session,omitempty"`
	Error   *problem `json:"error,omitempty"`
}

type problem struct {
	Code        string `json:"code"`
	Description string `json:"description"`
}

// session is the whole of what clients know, section 3. Nothing in it is ever
// null: a member without a value is absent.
type session struct {
	ID           string  `json:"id"`
	Status       string  `json:"status"`
	CreatedAt    string  `json:"created_at"`
	UpdatedAt    string  `json:"updated_at"`
	PaymentsOfV1 []*paid `json:"acquiring_payments,omitempty"`
	PaymentsOfV2 []*paid `json:"payment_list,omitempty"`
	NextAction   string  `json:"next_action,omitempty"`
}

type paid struct {
	ID                  string          `json:"id"`
	Status              string          `json:"status"`
	CreatedAt           string          `json:"created_at"`
	FinishedAt          string          `json:"finished_at,omitempty"`
	Customer            json.RawMessage `json:"customer,omitempty"`
	PaymentDetails      details         `json:"payment_details"`
	AmountDetails       amount          `json:"amount_details"`
	Metadata            json.RawMessage `json:"metadata,omitempty"`
	Refunds             []refunded      `json:"refunds"`
	TransactionInfo     *info           `json:"transaction_info,omitempty"`
	CustomerInteraction *interaction    `json:"customer_interaction,omitempty"`
}

type details struct {
	Type string    `json:"type"`
	Card cardShown `json:"card"`
}

type cardShown struct {
	Brand string `json:"brand"`
	Last4 string `json:"last4"`
	Bin   string `json:"bin,omitempty"`
}

type amount struct {
	Amount   money.Minor `json:"amount"`
	Currency string      `json:"currency"`
}

type refunded struct {
	ID            string          `json:"id"`
	Status        string          `json:"status"`
	CreatedAt     string          `json:"created_at"`
	FinishedAt    string          `json:"finished_at,omitempty"`
	AmountDetails amount          `json:"amount_details"`
	IsChargeback  bool            `json:"is_chargeback,omitempty"`
	Metadata      json.RawMessage `json:"metadata,omitempty"`

	at time.Time
}

type info struct {
	RRN         string `json:"rrn,omitempty"`
	AuthCode    string `json:"auth_code,omitempty"`
	FPMessageID string `json:"fp_message_id,omitempty"`
}

type interaction struct {
	Type     string   `json:"type"`
	Redirect redirect `json:"redirect"`
}

type redirect struct {
	URL     string            `json:"url"`
	BaseURL string            `json:"base_url"`
	Method  string            `json:"method"`
	QS      map[string]string `json:"qs"`
	Params  map[string]string `json:"params"`
}

// The prefixes of ids. What follows is decimal digits.
const (
	sessionPrefix = "ps_"
	paymentPrefix = "pm_"
	refundPrefix  = "rf_"
)

// timeLayout has always six fraction digits.
const timeLayout = "2006-01-02T15:04:05.000000Z"

// isID reports whether a text is a prefix and digits.
func isID(text, prefix string) bool {
	digits, ok := strings.CutPrefix(text, prefix)
	return ok && wire.IsDigits(digits, 1, 39)
}

func shownTime(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(timeLayout)
}

func shownAmount(minor money.Minor, currency money.Currency) amount {
	return amount{minor, strings.ToLower(string(currency))}
}

// The words for a payment's status. A refund never changes it.
var paymentWords = map[payment.PaymentStatus]string{
	payment.PaymentCreated:    "in_progress",
	payment.PaymentPending:    "pending",
	payment.PaymentAuthorized: "pending",
	payment.PaymentCaptured:   "succeeded",
	payment.PaymentDeclined:   "failed",
	payment.PaymentFailed:     "failed",
	payment.PaymentCanceled:   "failed",
	payment.PaymentExpired:    "failed",
}

// paymentWord is the word for a payment's status. One that is being canceled
// waits, however early that was asked for.
func paymentWord(p payment.Payment) string {
	if len(p.Gates) > 0 && p.Gates[0].Kind == payment.GateCancel {
		return paymentWords[payment.PaymentPending]
	}
	return paymentWords[p.Status]
}

// The words for a refund's status (C18).
var refundWords = map[payment.RefundStatus]string{
	payment.RefundAwaitingApproval: "in_progress",
	payment.RefundScheduled:        "in_progress",
	payment.RefundPending:          "in_progress",
	payment.RefundUnknown:          "in_progress",
	payment.RefundSucceeded:        "accepted",
	payment.RefundDeclined:         "declined",
	payment.RefundCanceled:         "declined",
	payment.RefundFailed:           "error",
	payment.RefundReturned:         "error",
}

// The words for a chargeback's status. It takes its amount at once; withdrawn
// or won, it is "declined", which frees an amount here: there is no word for
// a chargeback that was reversed.
func chargebackWord(d payment.Dispute) string {
	if d.Takes() {
		return "accepted"
	}
	return "declined"
}

// The words for what a payment waits for.
var actions = map[payment.GateKind]string{
	payment.GateConfirmation: "confirm",
	payment.GateCapture:      "capture",
}

// sessionParts is what of a payment a session shows.
const sessionParts = payment.PartRefunds | payment.PartDisputes | payment.PartFacets

// shower renders sessions at one brand's door.
type shower struct {
	brand    Brand
	version  Version // of field names
	withInfo bool    // transaction_info is shown
	switches switches
	tenant   *payment.Tenant
}

// session renders a payment as its session.
func (s shower) session(v payment.View) *session {
	doc := readDocument(v.Facet(s.brand.Door(), v.Payment.ID))
	p := v.Payment
	shown := &session{
		ID: sessionPrefix + p.ID.Decimal(), Status: sessionWord(p), CreatedAt: shownTime(p.CreatedAt),
		UpdatedAt: shownTime(p.UpdatedAt), NextAction: actions[p.WaitsAt()],
	}
	if doc.Session != "" {
		shown.ID = doc.Session
	}
	if !doc.CreatedAt.IsZero() {
		shown.CreatedAt = shownTime(doc.CreatedAt)
	}
	list := []*paid{s.payment(v, doc)}
	if s.version == V2 {
		shown.PaymentsOfV2 = list
	} else {
		shown.PaymentsOfV1 = list
	}
	return shown
}

// order renders a session that has no payment.
func (s shower) order(o payment.Order) *session {
	status := "created"
	if o.Status == payment.OrderCanceled {
		status = "cancelled"
	}
	return &session{
		ID: sessionPrefix + o.ID.Decimal(), Status: status, CreatedAt: shownTime(o.CreatedAt),
		UpdatedAt: shownTime(o.UpdatedAt),
	}
}

// sessionWord is the word for a session's status: a refund on its way takes it
// back to in_progress.
func sessionWord(p payment.Payment) string {
	switch p.Status {
	case payment.PaymentCreated, payment.PaymentPending, payment.PaymentAuthorized:
		return "in_progress"
	case payment.PaymentCaptured:
		if p.Reserved > 0 {
			return "in_progress"
		}
		return "accepted"
	case payment.PaymentDeclined, payment.PaymentFailed, payment.PaymentCanceled, payment.PaymentExpired:
		return "cancelled"
	default:
		return "error"
	}
}

func (s shower) payment(v payment.View, doc document) *paid {
	p := v.Payment
	shown := &paid{
		ID: paymentPrefix + p.ID.Decimal(), Status: paymentWord(p), CreatedAt: shownTime(p.CreatedAt),
		Customer: doc.Customer, PaymentDetails: shownDetails(p, doc),
		AmountDetails: shownAmount(p.Amount.Minor, p.Amount.Currency), Metadata: wire.RawJSON(p.Metadata),
		Refunds: s.refunds(v),
	}
	if doc.Payment != "" {
		shown.ID = doc.Payment
	}
	if p.Captured > 0 {
		shown.AmountDetails.Amount = p.Captured // a partial capture lowers it (C17)
		shown.FinishedAt = shownTime(p.CapturedAt())
	} else if payment.PaymentLife.IsEnd(p.Status) {
		shown.FinishedAt = shownTime(p.History.Last().At)
	}
	if shown.Customer == nil && s.brand == Pike {
		shown.Customer = wire.Encode(map[string]string{"reference": p.Payer}) // never absent there
	}
	if s.withInfo {
		shown.TransactionInfo = s.info(p)
	}
	if p.WaitsAt() == payment.GatePayer {
		shown.CustomerInteraction = shownInteraction(p, doc)
	}
	return shown
}

func shownDetails(p payment.Payment, doc document) details {
	shown := details{Type: "card", Card: cardShown{Brand: p.Method.Brand, Last4: p.Method.Last4, Bin: doc.Bin}}
	if shown.Card.Brand == "" {
		shown.Card.Brand = "unknown"
	}
	if shown.Card.Last4 == "" {
		shown.Card.Last4 = "0000"
	}
	return shown
}

// info returns what the payment is called elsewhere, nil if nothing is known.
func (s shower) info(p payment.Payment) *info {
	shown := &info{}
	for _, reference := range p.References {
		switch reference.Kind {
		case "rrn":
			shown.RRN = reference.Value
		case "auth_code":
			shown.AuthCode = reference.Value
		case "fp_message_id":
			shown.FPMessageID = reference.Value
		}
	}
	if s.brand == Pike {
		shown.RRN, shown.AuthCode = "", ""
	}
	if !s.switches.EmitFPMessageID.Of(s.tenant.Settings) {
		shown.FPMessageID = ""
	}
	if *shown == (info{}) {
		return nil
	}
	return shown
}

// refunds renders refunds and chargebacks, the oldest first.
func (s shower) refunds(v payment.View) []refunded {
	list := make([]refunded, 0, len(v.Refunds)+len(v.Disputes))
	for _, r := range v.Refunds {
		list = append(list, refunded{
			ID: refundPrefix + r.ID.Decimal(), Status: refundWords[r.Status], CreatedAt: shownTime(r.CreatedAt),
			FinishedAt: shownTime(r.EndedAt()), AmountDetails: shownAmount(r.Amount.Minor, r.Amount.Currency),
			Metadata: wire.RawJSON(r.Metadata), at: r.CreatedAt,
		})
	}
	for _, d := range v.Disputes {
		if d.Kind == payment.DisputeInquiry || d.Amount.Minor == 0 {
			continue
		}
		list = append(list, refunded{
			ID: refundPrefix + d.ID.Decimal(), Status: chargebackWord(d), CreatedAt: shownTime(d.CreatedAt),
			FinishedAt: shownTime(d.CreatedAt), AmountDetails: shownAmount(d.Amount.Minor, d.Amount.Currency),
			IsChargeback: true, at: d.CreatedAt,
		})
	}
	if len(v.Disputes) > 0 {
		slices.SortStableFunc(list, func(a, b refunded) int { return a.at.Compare(b.at) })
	}
	return list
}
