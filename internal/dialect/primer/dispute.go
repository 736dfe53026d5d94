package primer

import (
	"cmp"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// opened is the body of DISPUTE.OPENED, which is flat and has no time.
type opened struct {
	EventType          string `json:"eventType"`
	Version            string `json:"version"`
	PrimerAccountID    string `json:"primerAccountId"`
	TransactionID      string `json:"transactionId"`
	OrderID            string `json:"orderId"`
	ProcessorID        string `json:"processorId"`
	ProcessorDisputeID string `json:"processorDisputeId"`
	PaymentID          string `json:"paymentId"`
}

// disputed is the body of DISPUTE.STATUS.
type disputed struct {
	EventType          string         `json:"eventType"`
	Version            string         `json:"version"`
	Type               string         `json:"type"`
	Status             string         `json:"status"`
	PrimerAccountID    string         `json:"primerAccountId"`
	TransactionID      string         `json:"transactionId"`
	OrderID            string         `json:"orderId"`
	PaymentID          string         `json:"paymentId"`
	PaymentMethod      disputedMethod `json:"paymentMethod"`
	Processor          string         `json:"processor"`
	ProcessorDisputeID string         `json:"processorDisputeId"`
	ReceivedAt         string         `json:"receivedAt"`
	Reason             string         `json:"reason,omitempty"`
	ProcessorReason    string         `json:"processorReason,omitempty"`
	Amount             money.Minor    `json:"amount"`
	Currency           money.Currency `json:"currency"`
	MerchantID         string         `json:"merchantId"`
}

// disputedMethod is the form of the API's schema; examples have another.
type disputedMethod struct {
	Type string        `json:"paymentMethodType"`
	Data *disputedCard `json:"paymentMethodData,omitempty"`
}

type disputedCard struct {
	Network string `json:"network"`
}

// The words for a dispute's kind.
var disputeKinds = map[payment.DisputeKind]string{
	payment.DisputeInquiry:        "RETRIEVAL",
	payment.DisputeChargeback:     "DISPUTE",
	payment.DisputePreArbitration: "PREARBITRATION",
}

// The words for a dispute's status.
var disputeWords = map[payment.DisputeStatus]string{
	payment.DisputeOpen:       "OPEN",
	payment.DisputeChallenged: "CHALLENGED",
	payment.DisputeWon:        "WON",
	payment.DisputeLost:       "LOST",
	payment.DisputeAccepted:   "ACCEPTED",
	payment.DisputeExpired:    "EXPIRED",
	payment.DisputeCanceled:   "CANCELLED",
}

// disputeTimeLayout has a zone, as other times of the API have not.
const disputeTimeLayout = timeLayout + "Z"

// caseID is what the processor calls a dispute; one that an operator opened
// has our own id.
func caseID(d payment.Dispute) string { return cmp.Or(d.ProcessorRef, d.ID.UUID()) }

func shownOpened(v payment.View, d payment.Dispute) opened {
	p, doc := v.Payment, documentOf(v)
	return opened{
		EventType: typeDisputeOpened, Version: openedVersion, PrimerAccountID: p.Tenant.UUID(), TransactionID: saleID(p),
		OrderID: orderIDOf(p, doc), ProcessorID: accountOf(p, doc).Name, ProcessorDisputeID: caseID(d), PaymentID: idOf(p, doc),
	}
}

func shownDispute(v payment.View, d payment.Dispute) disputed {
	p, doc := v.Payment, documentOf(v)
	at := accountOf(p, doc)
	shown := disputed{
		EventType: typeDisputeStatus, Version: webhookVersion, Type: disputeKinds[d.Kind], Status: disputeWords[d.Status],
		PrimerAccountID: p.Tenant.UUID(), TransactionID: saleID(p), OrderID: orderIDOf(p, doc), PaymentID: idOf(p, doc),
		PaymentMethod: disputedMethod{Type: methodType(p, doc)}, Processor: at.Name, ProcessorDisputeID: caseID(d),
		ReceivedAt: shownDisputeTime(d.History.Last().At), Reason: d.Reason, ProcessorReason: d.Reason,
		Amount: d.Amount.Minor, Currency: d.Amount.Currency, MerchantID: at.ID,
	}
	if network := networkOf(p, doc); network != "" {
		shown.PaymentMethod.Data = &disputedCard{network}
	}
	return shown
}

func shownDisputeTime(at time.Time) string { return at.UTC().Format(disputeTimeLayout) }
