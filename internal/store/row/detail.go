package row

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/refundry/refundry/internal/payment"
)

// paymentDetail is what of a payment no query asks for. What is personal is in
// it only where an older version wrote the row.
type paymentDetail struct {
	paymentPersonal

	Merchant     string              `json:"merchant,omitempty"`
	ProcessorRef string              `json:"processor_ref,omitempty"`
	MethodType   string              `json:"method,omitempty"`
	MethodBrand  string              `json:"brand,omitempty"`
	Country      string              `json:"country,omitempty"`
	References   []payment.Reference `json:"references,omitempty"`
	Gates        []payment.Gate      `json:"gates,omitempty"`
	ShortID      string              `json:"short_id,omitempty"`
	Callback     string              `json:"callback,omitempty"`
	Availability string              `json:"availability,omitempty"`
	PerCapture   bool                `json:"per_capture,omitempty"`
	IsImported   bool                `json:"imported,omitempty"`
}

// paymentPersonal is what of a payment is personal: it is kept sealed.
type paymentPersonal struct {
	Payer       string `json:"payer,omitempty"`
	Description string `json:"description,omitempty"`
	Metadata    string `json:"metadata,omitempty"`
	MethodLast4 string `json:"last4,omitempty"`
}

// PaymentDetail writes what of a payment no query asks for, and nothing personal.
func PaymentDetail(p payment.Payment) string {
	return asJSON(paymentDetail{
		Merchant: p.Merchant, ProcessorRef: p.ProcessorRef, MethodType: p.Method.Type, MethodBrand: p.Method.Brand,
		Country: p.Country, References: p.References, Gates: p.Gates, ShortID: p.ShortID, Callback: p.Callback,
		Availability: string(p.Availability), PerCapture: p.PerCapture,
		IsImported: p.IsImported,
	})
}

// personalOf returns what of a payment is to be sealed; nil for nothing.
func personalOf(p payment.Payment) []byte {
	personal := paymentPersonal{
		Payer: p.Payer, Description: p.Description, Metadata: p.Metadata, MethodLast4: p.Method.Last4,
	}
	if personal == (paymentPersonal{}) {
		return nil
	}
	return []byte(asJSON(personal))
}

// ParsePaymentDetail reads what [PaymentDetail] and [Ring.Payment] wrote.
func ParsePaymentDetail(text string, key PersonalKey, sealed []byte, p *payment.Payment) error {
	var detail paymentDetail
	if err := json.Unmarshal([]byte(text), &detail); err != nil {
		return fmt.Errorf("payment detail column is damaged: %w", err)
	}
	if err := key.open(columnPayment, p.ID, sealed, &detail.paymentPersonal); err != nil {
		return err
	}
	p.Merchant, p.ProcessorRef, p.Country, p.Payer = detail.Merchant, detail.ProcessorRef, detail.Country, detail.Payer
	p.Method = payment.Method{Type: detail.MethodType, Brand: detail.MethodBrand, Last4: detail.MethodLast4}
	p.Description, p.Metadata = detail.Description, detail.Metadata
	p.References, p.Gates = detail.References, detail.Gates
	p.ShortID, p.Callback = detail.ShortID, detail.Callback
	p.Availability, p.PerCapture = payment.Availability(detail.Availability), detail.PerCapture
	p.IsImported = detail.IsImported
	return nil
}

// refundDetail is what of a refund no query asks for. What is personal is in it
// only where an older version wrote the row, or where people wrote it down after
// the payment was erased.
type refundDetail struct {
	refundPersonal

	Lines           []payment.RefundLine `json:"lines,omitempty"`
	List            *[]payment.Item      `json:"list,omitempty"`
	Capture         *payment.CaptureID   `json:"capture,omitempty"`
	Reason          string               `json:"reason,omitempty"`
	OrderReference  string               `json:"order_reference,omitempty"`
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

	User         string                `json:"user,omitempty"` // by an older version, as in approvals and evidence
	How          payment.How           `json:"how,omitempty"`
	Group        *payment.GroupID      `json:"group,omitempty"`
	ExpiresAt    int64                 `json:"expires_at,omitempty"`
	ExpectedBy   int64                 `json:"expected_by,omitempty"`
	Expectations []payment.Expectation `json:"expectations,omitempty"`
	Evidence     []payment.Evidence    `json:"evidence,omitempty"`
	CountedDay   int64                 `json:"counted_day,omitempty"`
	CountedBy    []payment.CounterKind `json:"counted_by,omitempty"`
	Person       *payment.PersonID     `json:"person,omitempty"`
	Names        []sealedName          `json:"names,omitempty"`
	Batch        *payment.BatchID      `json:"batch,omitempty"`
	BatchRow     int64                 `json:"batch_row,omitempty"`
}

// refundPersonal is what of a refund is personal: it is kept sealed. The words
// of evidence, and the metadata of its list, stand in the order of those.
type refundPersonal struct {
	Note         string   `json:"note,omitempty"`
	Message      string   `json:"message,omitempty"`
	Metadata     string   `json:"metadata,omitempty"`
	FailureWords string   `json:"failure_message,omitempty"`
	Evidence     []string `json:"evidence_notes,omitempty"`
	List         []string `json:"list_metadata,omitempty"`
}

// split takes out of a refund what is personal.
func split(r payment.Refund) (payment.Refund, refundPersonal) {
	personal := refundPersonal{Note: r.Note, Message: r.Message, Metadata: r.Metadata, FailureWords: r.Failure.Message}
	r.Failure.Message = ""
	r.Evidence = take(r.Evidence, &personal.Evidence, func(e *payment.Evidence) *string { return &e.Note })
	if r.List != nil {
		list := take(*r.List, &personal.List, func(i *payment.Item) *string { return &i.Metadata })
		r.List = &list
	}
	return r, personal
}

// take moves a text of each element of a list into another list, which stays
// empty if no element has one.
func take[T any](list []T, texts *[]string, of func(*T) *string) []T {
	if !slices.ContainsFunc(list, func(element T) bool { return *of(&element) != "" }) {
		return list
	}
	list = slices.Clone(list)
	for i := range list {
		*texts = append(*texts, *of(&list[i]))
		*of(&list[i]) = ""
	}
	return list
}

// put undoes take.
func put[T any](list []T, texts []string, of func(*T) *string) {
	for i := range min(len(list), len(texts)) {
		if texts[i] != "" {
			*of(&list[i]) = texts[i]
		}
	}
}

// sealable returns what of a refund is to be sealed; nil for nothing.
func (p refundPersonal) sealable() []byte {
	if text := asJSON(p); text != "{}" {
		return []byte(text)
	}
	return nil
}

// detailOf writes what of a refund no query asks for.
func detailOf(r payment.Refund, names []sealedName) string {
	return asJSON(refundDetail{
		Lines: r.Lines, Reason: r.Reason, OrderReference: r.OrderReference, PendingReason: string(r.PendingReason),
		Failure: optional(r.Failure), References: r.References, ExecutedAs: r.ExecutedAs, RetryOf: optional(r.RetryOf),
		Corrects: optional(r.Corrects), ApprovalsNeeded: r.ApprovalsNeeded, Approvals: r.Approvals,
		NotBefore: Micros(r.NotBefore), AnswerBy: Micros(r.AnswerBy), ProcessorRef: r.ProcessorRef,
		Attempt: optional(r.Attempt), AttemptCount: r.AttemptCount, List: listed(r.List), Capture: optional(r.Capture),
		Person: optional(r.Person), Names: names, How: r.How, Group: optional(r.Group),
		ExpiresAt: Micros(r.ExpiresAt), ExpectedBy: Micros(r.ExpectedBy),
		Expectations: r.Expectations, Evidence: r.Evidence, CountedDay: Micros(r.Counted.Day), CountedBy: r.Counted.By,
		Batch: optional(r.Batch), BatchRow: r.BatchRow,
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

// ParseRefundDetail reads what [Ring.Refund] wrote.
func ParseRefundDetail(text string, key PersonalKey, sealed []byte, persons PersonKeys, r *payment.Refund) error {
	var detail refundDetail
	if err := json.Unmarshal([]byte(text), &detail); err != nil {
		return fmt.Errorf("refund detail column is damaged: %w", err)
	}
	if err := key.open(columnRefund, r.ID, sealed, &detail.refundPersonal); err != nil {
		return err
	}
	r.Lines, r.Reason, r.Note, r.Message = detail.Lines, detail.Reason, detail.Note, detail.Message
	r.OrderReference, r.Metadata = detail.OrderReference, detail.Metadata
	r.PendingReason, r.Failure = payment.PendingReason(detail.PendingReason), orZero(detail.Failure)
	r.References, r.ExecutedAs = detail.References, detail.ExecutedAs
	r.RetryOf, r.Corrects = orZero(detail.RetryOf), orZero(detail.Corrects)
	r.ApprovalsNeeded, r.Approvals, r.NotBefore = detail.ApprovalsNeeded, detail.Approvals, Time(detail.NotBefore)
	r.ProcessorRef, r.Attempt, r.AttemptCount = detail.ProcessorRef, orZero(detail.Attempt), detail.AttemptCount
	r.List, r.Capture, r.AnswerBy = detail.List, orZero(detail.Capture), Time(detail.AnswerBy)
	r.User, r.Person, r.How, r.Group = detail.User, orZero(detail.Person), detail.How, orZero(detail.Group)
	r.Batch, r.BatchRow = orZero(detail.Batch), detail.BatchRow
	r.ExpiresAt, r.ExpectedBy, r.Expectations = Time(detail.ExpiresAt), Time(detail.ExpectedBy), detail.Expectations
	r.Evidence, r.Counted = detail.Evidence, payment.Counted{Day: Time(detail.CountedDay), By: detail.CountedBy}
	if err := persons.name(r, detail.Names); err != nil {
		return err
	}
	if detail.FailureWords != "" {
		r.Failure.Message = detail.FailureWords
	}
	put(r.Evidence, detail.refundPersonal.Evidence, func(e *payment.Evidence) *string { return &e.Note })
	if r.List != nil {
		put(*r.List, detail.refundPersonal.List, func(i *payment.Item) *string { return &i.Metadata })
	}
	return nil
}
