// Package row says how domain values are written in columns, alike in both
// stores: times as integer microseconds, lists and rare fields as JSON text.
package row

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// Micros writes a time: microseconds since 1970, 0 for the zero time.
func Micros(at time.Time) int64 {
	if at.IsZero() {
		return 0
	}
	return at.UnixMicro()
}

// Time reads what [Micros] wrote.
func Time(micros int64) time.Time {
	if micros == 0 {
		return time.Time{}
	}
	return time.UnixMicro(micros).UTC()
}

// History writes a history: marks as status/note/version/micros, a semicolon between.
func History[S ~string](history payment.History[S]) string {
	var text strings.Builder
	for i, mark := range history {
		if i > 0 {
			text.WriteByte(';')
		}
		text.WriteString(string(mark.Status))
		text.WriteByte('/')
		text.WriteString(string(mark.Note))
		text.WriteByte('/')
		text.WriteString(strconv.FormatInt(mark.Version, 10))
		text.WriteByte('/')
		text.WriteString(strconv.FormatInt(Micros(mark.At), 10))
	}
	return text.String()
}

// ParseHistory reads what [History] wrote.
func ParseHistory[S ~string](text string) (payment.History[S], error) {
	if text == "" {
		return nil, nil
	}
	history := make(payment.History[S], 0, strings.Count(text, ";")+1)
	for piece := range strings.SplitSeq(text, ";") {
		status, rest, _ := strings.Cut(piece, "/")
		note, rest, _ := strings.Cut(rest, "/")
		version, micros, ok := strings.Cut(rest, "/")
		versionNumber, versionErr := strconv.ParseInt(version, 10, 64)
		microsNumber, microsErr := strconv.ParseInt(micros, 10, 64)
		if !ok || versionErr != nil || microsErr != nil {
			return nil, fmt.Errorf("history column is damaged at mark %d", len(history)+1)
		}
		history = append(history, payment.Mark[S]{
			Status: S(status), Note: payment.Note(note), Version: versionNumber, At: Time(microsNumber),
		})
	}
	return history, nil
}

// paymentDetail is what of a payment no query asks for.
type paymentDetail struct {
	Merchant     string              `json:"merchant,omitempty"`
	ProcessorRef string              `json:"processor_ref,omitempty"`
	MethodType   string              `json:"method,omitempty"`
	MethodBrand  string              `json:"brand,omitempty"`
	MethodLast4  string              `json:"last4,omitempty"`
	Country      string              `json:"country,omitempty"`
	Payer        string              `json:"payer,omitempty"`
	Description  string              `json:"description,omitempty"`
	Metadata     string              `json:"metadata,omitempty"`
	References   []payment.Reference `json:"references,omitempty"`
	Gates        []payment.Gate      `json:"gates,omitempty"`
	ShortID      string              `json:"short_id,omitempty"`
	Callback     string              `json:"callback,omitempty"`
	Availability string              `json:"availability,omitempty"`
	PerCapture   bool                `json:"per_capture,omitempty"`
}

// asJSON writes a value that cannot fail to be written.
func asJSON(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		panic("row: " + err.Error())
	}
	return string(text)
}

// PaymentDetail writes what of a payment no query asks for.
func PaymentDetail(p payment.Payment) string {
	return asJSON(paymentDetail{
		Merchant: p.Merchant, ProcessorRef: p.ProcessorRef, MethodType: p.Method.Type, MethodBrand: p.Method.Brand,
		MethodLast4: p.Method.Last4, Country: p.Country, Payer: p.Payer, Description: p.Description,
		Metadata: p.Metadata, References: p.References, Gates: p.Gates, ShortID: p.ShortID, Callback: p.Callback,
		Availability: string(p.Availability), PerCapture: p.PerCapture,
	})
}

// ParsePaymentDetail reads what [PaymentDetail] wrote.
func ParsePaymentDetail(text string, p *payment.Payment) error {
	var detail paymentDetail
	if err := json.Unmarshal([]byte(text), &detail); err != nil {
		return fmt.Errorf("payment detail column is damaged: %w", err)
	}
	p.Merchant, p.ProcessorRef, p.Country, p.Payer = detail.Merchant, detail.ProcessorRef, detail.Country, detail.Payer
	p.Method = payment.Method{Type: detail.MethodType, Brand: detail.MethodBrand, Last4: detail.MethodLast4}
	p.Description, p.Metadata = detail.Description, detail.Metadata
	p.References, p.Gates = detail.References, detail.Gates
	p.ShortID, p.Callback = detail.ShortID, detail.Callback
	p.Availability, p.PerCapture = payment.Availability(detail.Availability), detail.PerCapture
	return nil
}

// refundDetail is what of a refund no query asks for.
type refundDetail struct {
	Lines           []payment.RefundLine `json:"lines,omitempty"`
	List            *[]payment.Item      `json:"list,omitempty"`
	Capture         *payment.CaptureID   `json:"capture,omitempty"`
	Reason          string               `json:"reason,omitempty"`
	Note            string               `json:"note,omitempty"`
	Message         string               `json:"message,omitempty"`
	OrderReference  string               `json:"order_reference,omitempty"`
	Metadata        string               `json:"metadata,omitempty"`
	PendingReason   string               `json:"pending_reason,omitempty"`
	Failure         *payment.Failure     `json:"failure,omitempty"`
	References      []payment.Reference  `json:"references,omitempty"`
	ExecutedAs      string               `json:"executed_as,omitempty"`
	RetryOf         *payment.RefundID    `json:"retry_of,omitempty"`
	Corrects        *payment.RefundID    `json:"corrects,omitempty"`
	ApprovalsNeeded int                  `json:"approvals_needed,omitempty"`
	Approvals       []payment.Approval   `json:"approvals,omitempty"`
	NotBefore       int64                `json:"not_before,omitempty"`
	AnswerBy        int64                `json:"answer_by,omitempty"`
	ProcessorRef    string               `json:"processor_ref,omitempty"`
	Attempt         *payment.AttemptID   `json:"attempt,omitempty"`
	AttemptCount    int                  `json:"attempt_count,omitempty"`

	User         string                `json:"user,omitempty"`
	How          payment.How           `json:"how,omitempty"`
	Group        *payment.GroupID      `json:"group,omitempty"`
	ExpiresAt    int64                 `json:"expires_at,omitempty"`
	ExpectedBy   int64                 `json:"expected_by,omitempty"`
	Expectations []payment.Expectation `json:"expectations,omitempty"`
	Evidence     []payment.Evidence    `json:"evidence,omitempty"`
	CountedDay   int64                 `json:"counted_day,omitempty"`
	CountedBy    []payment.CounterKind `json:"counted_by,omitempty"`
}

func optional[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

func orZero[T any](value *T) T {
	var zero T
	if value == nil {
		return zero
	}
	return *value
}

// RefundDetail writes what of a refund no query asks for.
func RefundDetail(r payment.Refund) string {
	return asJSON(refundDetail{
		Lines: r.Lines, Reason: r.Reason, Note: r.Note, Message: r.Message, OrderReference: r.OrderReference,
		Metadata: r.Metadata, PendingReason: string(r.PendingReason), Failure: optional(r.Failure),
		References: r.References, ExecutedAs: r.ExecutedAs, RetryOf: optional(r.RetryOf),
		Corrects: optional(r.Corrects), ApprovalsNeeded: r.ApprovalsNeeded, Approvals: r.Approvals,
		NotBefore: Micros(r.NotBefore), AnswerBy: Micros(r.AnswerBy), ProcessorRef: r.ProcessorRef,
		Attempt: optional(r.Attempt), AttemptCount: r.AttemptCount, List: listed(r.List), Capture: optional(r.Capture),
		User: r.User, How: r.How, Group: optional(r.Group), ExpiresAt: Micros(r.ExpiresAt), ExpectedBy: Micros(r.ExpectedBy),
		Expectations: r.Expectations, Evidence: r.Evidence, CountedDay: Micros(r.Counted.Day), CountedBy: r.Counted.By,
	})
}

// listed returns a refund's list as JSON keeps it: one that has no lines is
// empty there, and not null, which would be none.
func listed(list *[]payment.Item) *[]payment.Item {
	if list != nil && *list == nil {
		return &[]payment.Item{}
	}
	return list
}

// ParseRefundDetail reads what [RefundDetail] wrote.
func ParseRefundDetail(text string, r *payment.Refund) error {
	var detail refundDetail
	if err := json.Unmarshal([]byte(text), &detail); err != nil {
		return fmt.Errorf("refund detail column is damaged: %w", err)
	}
	r.Lines, r.Reason, r.Note, r.Message = detail.Lines, detail.Reason, detail.Note, detail.Message
	r.OrderReference, r.Metadata = detail.OrderReference, detail.Metadata
	r.PendingReason, r.Failure = payment.PendingReason(detail.PendingReason), orZero(detail.Failure)
	r.References, r.ExecutedAs = detail.References, detail.ExecutedAs
	r.RetryOf, r.Corrects = orZero(detail.RetryOf), orZero(detail.Corrects)
	r.ApprovalsNeeded, r.Approvals, r.NotBefore = detail.ApprovalsNeeded, detail.Approvals, Time(detail.NotBefore)
	r.ProcessorRef, r.Attempt, r.AttemptCount = detail.ProcessorRef, orZero(detail.Attempt), detail.AttemptCount
	r.List, r.Capture, r.AnswerBy = detail.List, orZero(detail.Capture), Time(detail.AnswerBy)
	r.User, r.How, r.Group = detail.User, detail.How, orZero(detail.Group)
	r.ExpiresAt, r.ExpectedBy, r.Expectations = Time(detail.ExpiresAt), Time(detail.ExpectedBy), detail.Expectations
	r.Evidence, r.Counted = detail.Evidence, payment.Counted{Day: Time(detail.CountedDay), By: detail.CountedBy}
	return nil
}

// Amount joins the two columns of an amount.
func Amount(minor int64, currency string) money.Amount {
	return money.Of(money.Minor(minor), money.Currency(currency))
}

// Texts writes a list of texts as a JSON array, empty text for none.
func Texts[S ~string](list []S) string {
	if len(list) == 0 {
		return ""
	}
	return asJSON(list)
}

// ParseTexts reads what [Texts] wrote.
func ParseTexts[S ~string](text string) ([]S, error) {
	if text == "" {
		return nil, nil
	}
	var list []S
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		return nil, fmt.Errorf("list column is damaged: %w", err)
	}
	return list, nil
}
