package primer

import (
	"cmp"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// transaction is what Primer calls one of a payment's movements of money: one
// SALE, and a REFUND for each refund.
type transaction struct {
	Date          string         `json:"date"`
	Amount        money.Minor    `json:"amount"`
	CurrencyCode  money.Currency `json:"currencyCode"`
	OrderID       string         `json:"orderId"`
	Type          string         `json:"transactionType"`
	TypeAlias     string         `json:"type,omitempty"` // as examples of the API have it, by a switch
	ID            string         `json:"processorTransactionId"`
	Processor     string         `json:"processorName"`
	MerchantID    string         `json:"processorMerchantId"`
	Status        string         `json:"processorStatus"`
	StatusReason  *reason        `json:"processorStatusReason,omitempty"`
	CardTokenType string         `json:"cardTokenType,omitempty"`
	Reason        string         `json:"reason,omitempty"` // of a cancel or a refund
	Events        []event        `json:"events,omitzero"`  // where they are asked for, a list that may be empty
}

// event is a step of a SALE. A refund has none.
type event struct {
	ID               string      `json:"id"`
	Date             string      `json:"date"`
	Type             string      `json:"type"`
	ProcessorEventID string      `json:"processorEventId,omitempty"`
	Amount           money.Minor `json:"amount"`
	IsFinal          *bool       `json:"final,omitempty"`
}

// The types of transaction and event.
const (
	typeSale        = "SALE"
	typeRefund      = "REFUND"
	eventAuthorized = "AUTHORIZATION_SUCCEEDED"
	eventCaptured   = "CAPTURE_SUCCEEDED"
	eventCancelled  = "CANCELLATION_SUCCEEDED"
)

// The words for a refund's status. Success is final here: a refund whose money
// came back stays settled.
var refundWords = map[payment.RefundStatus]string{
	payment.RefundAwaitingApproval: statusPending,
	payment.RefundScheduled:        statusPending,
	payment.RefundPending:          statusPending,
	payment.RefundUnknown:          statusPending,
	payment.RefundSucceeded:        statusSettled,
	payment.RefundReturned:         statusSettled,
	payment.RefundDeclined:         statusFailed,
	payment.RefundFailed:           statusFailed,
	payment.RefundCanceled:         statusFailed,
}

// transactions renders the SALE and the refunds, the oldest first.
func (s shower) transactions(v payment.View, of *paid, doc document) []transaction {
	p := v.Payment
	sale := s.transaction(of, typeSale, p.CreatedAt, p.Amount.Minor)
	sale.ID, sale.Status, sale.StatusReason = cmp.Or(p.ProcessorRef, saleID(p)), of.Status, of.StatusReason
	sale.CardTokenType, sale.Reason = of.CardTokenType, doc.CancelReason
	if s.withEvents {
		sale.Events = saleEvents(v)
	}
	list := []transaction{sale}
	for _, r := range v.FinalRefunds() {
		refund := s.transaction(of, typeRefund, r.CreatedAt, r.Amount.Minor)
		refund.OrderID, refund.ID = cmp.Or(r.OrderReference, of.OrderID), refundID(r)
		refund.Status, refund.StatusReason = refundWords[r.Status], refundReason(r)
		refund.Reason = s.why(r)
		if s.withEvents {
			refund.Events = []event{}
		}
		list = append(list, refund)
	}
	return list
}

// why returns why a refund was: what was said here, else this door's word for
// it, else what was said elsewhere.
func (s shower) why(r payment.Refund) string {
	word := payment.WordFor(s.settings, Name, r.Reason)
	if r.Door == Name {
		return cmp.Or(r.Note, word, r.Reason)
	}
	return cmp.Or(word, r.Note, r.Reason)
}

func (s shower) transaction(of *paid, kind string, at time.Time, amount money.Minor) transaction {
	shown := transaction{
		Date: shownTime(at), Amount: amount, CurrencyCode: of.CurrencyCode, OrderID: of.OrderID, Type: kind,
		Processor: of.Processor.Name, MerchantID: of.Processor.MerchantID,
	}
	if emitTypeAlias.Of(s.settings) {
		shown.TypeAlias = kind
	}
	return shown
}

// saleID is what the SALE of a payment is called.
func saleID(p payment.Payment) string { return p.ID.UUID() }

// refundID names a refund from the first answer on. The processor's own name
// for it comes later, and what was shown once must not change; only what was
// made at the processor has it from the beginning.
func refundID(r payment.Refund) string {
	if r.Source == payment.SourceAdopted || r.Source == payment.SourceAlert {
		return cmp.Or(r.ProcessorRef, r.ID.UUID())
	}
	return r.ID.UUID()
}

// refundReason says why a refund failed, nil if it did not.
func refundReason(r payment.Refund) *reason {
	switch r.Status {
	case payment.RefundDeclined:
		return &reason{
			Type: reasonIssuer, DeclineType: hardDecline, Code: "DECLINED",
			Message: cmp.Or(r.Failure.Message, "Refund declined by the issuer"),
		}
	case payment.RefundFailed:
		return &reason{Type: reasonGateway, Message: cmp.Or(r.Failure.Message, "Refund rejected by the processor")}
	case payment.RefundCanceled:
		return &reason{Type: reasonApplication, Message: cmp.Or(r.Failure.Message, "Refund canceled before it left")}
	case payment.RefundAwaitingApproval, payment.RefundScheduled, payment.RefundPending, payment.RefundUnknown,
		payment.RefundSucceeded, payment.RefundReturned:
	}
	return nil
}

// saleEvents renders the steps of a payment: its authorization, each capture,
// the end of one that was given up. A capture's event has the capture's id.
func saleEvents(v payment.View) []event {
	p := v.Payment
	events := []event{}
	if at := authorizedAt(p); !at.IsZero() {
		events = append(events, event{
			ID: eventID(p, eventAuthorized), Date: shownTime(at), Type: eventAuthorized, Amount: p.Amount.Minor,
		})
	}
	for _, capture := range v.Captures {
		if capture.Status != payment.CaptureSettled {
			continue
		}
		events = append(events, event{
			ID: capture.ID.UUID(), Date: shownTime(capture.History.ReachedAt(payment.CaptureSettled)), Type: eventCaptured,
			ProcessorEventID: capture.ID.String(), Amount: capture.Amount, IsFinal: &capture.IsFinal,
		})
	}
	if at := p.History.ReachedAt(payment.PaymentCanceled); !at.IsZero() {
		events = append(events, event{
			ID: eventID(p, eventCancelled), Date: shownTime(at), Type: eventCancelled, Amount: p.Amount.Minor,
		})
	}
	return events
}

// authorizedAt returns when a payment was authorized, if only by its capture.
func authorizedAt(p payment.Payment) time.Time {
	if at := p.History.ReachedAt(payment.PaymentAuthorized); !at.IsZero() {
		return at
	}
	return p.CapturedAt()
}

// eventID names a step of a payment that has no id of its own, always alike: a
// UUID of version 8.
func eventID(p payment.Payment, kind string) string {
	id := payment.CaptureID(new(wire.Digest).Bytes(p.ID[:]).Text(kind).Sum())
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	return id.UUID()
}
