package ping

import (
	"encoding/json"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// shower renders things for one tenant.
type shower struct {
	tenant *payment.Tenant
}

func (c *call) shower() shower { return shower{c.tenant} }

// shownID is the answer to whatever makes something.
type shownID struct {
	ID string `json:"id"`
}

// shownPayment is a payment as callers see it. payment_order_id is never null:
// clients fail on that.
type shownPayment struct {
	ID          string          `json:"id"`
	Order       string          `json:"payment_order_id"`
	Status      string          `json:"status"`
	Currency    money.Currency  `json:"currency"`
	Total       money.Minor     `json:"total_amount"`
	Provider    string          `json:"provider"`
	Method      string          `json:"method"`
	Metadata    json.RawMessage `json:"metadata"`
	Items       []shownItem     `json:"order_items"`
	Payer       json.RawMessage `json:"payer"`
	History     []shownStatus   `json:"status_history"`
	RefundedSum *shownSum       `json:"refund"`
	Refunds     []shownRefund   `json:"refunds"`
}

type shownStatus struct {
	ID         string        `json:"id"`
	Status     string        `json:"status"`
	OccurredAt string        `json:"occurred_at"`
	Details    *shownDetails `json:"details"`
	Funds      *shownFunds   `json:"funds"`
}

type shownFunds struct {
	Received      money.Minor `json:"received"`
	ReceivedTotal money.Minor `json:"received_total"`
}

// shownSum is what all refunds gave back.
type shownSum struct {
	Amount     money.Minor `json:"amount"`
	RefundedAt string      `json:"refunded_at"`
}

type shownRefund struct {
	Amount      money.Minor    `json:"amount"`
	RefundedAt  *string        `json:"refunded_at"`
	ID          string         `json:"id"`
	Status      string         `json:"status"`
	Currency    money.Currency `json:"currency"`
	Reason      string         `json:"reason"`
	Description *string        `json:"description"`
}

// shownOrder is an order as callers see it. Only an order that is asked for by
// its id shows its payments.
type shownOrder struct {
	ID        string          `json:"id"`
	Status    string          `json:"status"`
	CreatedAt string          `json:"created_at"`
	Currency  money.Currency  `json:"currency"`
	SplitTree *string         `json:"split_tree_id"`
	Payments  *[]shownPayment `json:"payments,omitempty"`
}

// timeLayout has always six fraction digits. Disbursements are called back with
// a space for the T.
const (
	timeLayout      = "2006-01-02T15:04:05.000000Z"
	spaceTimeLayout = "2006-01-02 15:04:05.000000Z"
)

func shownTime(at time.Time) string { return at.UTC().Format(timeLayout) }

// The statuses of a payment.
const (
	statusInitiated   = "INITIATED"
	statusPending     = "PENDING"
	statusFunded      = "FUNDED"
	statusUnderfunded = "UNDERFUNDED"
	statusOverfunded  = "OVERFUNDED"
	statusCompleted   = "COMPLETED"
	statusDeclined    = "DECLINED"
	statusAborted     = "ABORTED"
	statusExpired     = "EXPIRED"
	statusCrashed     = "CRASHED"
	statusStopped     = "STOPPED"
)

// paymentWords says what the domain's statuses of a payment are called. A
// refund never changes them.
var paymentWords = map[payment.PaymentStatus]string{
	payment.PaymentCreated:    statusInitiated,
	payment.PaymentPending:    statusPending,
	payment.PaymentAuthorized: statusPending,
	payment.PaymentCaptured:   statusCompleted,
	payment.PaymentDeclined:   statusDeclined,
	payment.PaymentFailed:     statusCrashed,
	payment.PaymentCanceled:   statusAborted,
	payment.PaymentExpired:    statusExpired,
}

// statusOf has every status of a payment here, with the domain's.
var statusOf = map[string]payment.PaymentStatus{
	statusInitiated:   payment.PaymentCreated,
	statusPending:     payment.PaymentPending,
	statusFunded:      payment.PaymentPending,
	statusUnderfunded: payment.PaymentPending,
	statusOverfunded:  payment.PaymentPending,
	statusCompleted:   payment.PaymentCaptured,
	statusDeclined:    payment.PaymentDeclined,
	statusAborted:     payment.PaymentCanceled,
	statusExpired:     payment.PaymentExpired,
	statusCrashed:     payment.PaymentFailed,
	statusStopped:     payment.PaymentCanceled,
}

// word returns what a payment's status is called, when this was its document.
func (d document) word(status payment.PaymentStatus) string {
	if of, ok := statusOf[d.Status]; ok && of == status {
		return d.Status
	}
	return paymentWords[status]
}

// isFunded reports whether money came in that nobody has agreed to yet.
func isFunded(word string) bool {
	return word == statusFunded || word == statusUnderfunded || word == statusOverfunded
}

// refundWords says what the domain's statuses of a refund are called. Success
// is final: what comes back later is not told.
var refundWords = map[payment.RefundStatus]string{
	payment.RefundAwaitingApproval: statusPending,
	payment.RefundScheduled:        statusPending,
	payment.RefundPending:          statusPending,
	payment.RefundUnknown:          statusPending,
	payment.RefundSucceeded:        statusCompleted,
	payment.RefundReturned:         statusCompleted,
	payment.RefundDeclined:         statusDeclined,
	payment.RefundCanceled:         statusDeclined,
	payment.RefundFailed:           statusFailed,
}

const statusFailed = "FAILED"

// orderWords says what the domain's statuses of an order are called.
var orderWords = map[payment.OrderStatus]string{
	payment.OrderOpen:     "OPEN",
	payment.OrderClosed:   "CLOSED",
	payment.OrderCanceled: "CLOSED",
	payment.OrderSplit:    "SPLIT",
	payment.OrderSettled:  "SETTLED",
}

// payment renders a payment.
func (s shower) payment(v payment.View) shownPayment {
	p, doc := v.Payment, documentOf(v)
	shown := shownPayment{
		ID: doc.paymentID(p), Order: doc.orderID(p), Status: doc.word(p.Status), Currency: p.Amount.Currency,
		Total: p.Amount.Minor, Provider: doc.Provider, Method: doc.Method, Metadata: shownObject(p.Metadata),
		Items: s.items(itemsOf(v, doc)), Payer: doc.Payer, History: history(v),
	}
	if doc.Total != 0 {
		shown.Total = doc.Total
	}
	shown.Refunds, shown.RefundedSum = s.refunds(v)
	return shown
}

// itemsOf returns what remains of a payment's lines. A line that refunds have
// taken whole is not there.
func itemsOf(v payment.View, doc document) []payment.Item {
	if doc.Items != nil {
		return doc.Items
	}
	wasFree := map[int]bool{}
	for _, line := range v.Current() {
		wasFree[line.Position] = line.Total == 0
	}
	var list []payment.Item
	for _, line := range v.List() {
		if line.Total > 0 || wasFree[line.Position] {
			list = append(list, line)
		}
	}
	return list
}

// history renders every status that a payment reached. All begin initiated.
func history(v payment.View) []shownStatus {
	p := v.Payment
	var shown []shownStatus
	add := func(word string, version int64, at time.Time, funds *shownFunds) {
		if last := len(shown) - 1; last >= 0 && shown[last].Status == word {
			return // something else of it changed
		}
		shown = append(shown, shownStatus{
			ID: derivedID("status", p.ID.UUID(), word, strconv.FormatInt(version, 10)), Status: word,
			OccurredAt: shownTime(at), Funds: funds,
		})
	}
	add(statusInitiated, 0, p.CreatedAt, nil)
	for _, mark := range p.History {
		word := documentAt(v, mark.Version).word(mark.Status)
		add(word, mark.Version, mark.At, fundsOf(p, word))
	}
	return shown
}

// fundsOf returns what came in, where that is what a status says.
func fundsOf(p payment.Payment, word string) *shownFunds {
	if !isFunded(word) {
		return nil
	}
	return &shownFunds{Received: p.Amount.Minor, ReceivedTotal: p.Amount.Minor}
}

// refunds renders refunds, the oldest first, and what they gave back together.
func (s shower) refunds(v payment.View) ([]shownRefund, *shownSum) {
	shown, all := []shownRefund{}, settingRefundsView.Of(s.tenant.Settings) == viewAll
	var sum *shownSum
	for _, r := range v.FinalRefunds() {
		word := refundWords[r.Status]
		one := shownRefund{
			Amount: r.Amount.Minor, ID: r.ID.UUID(), Status: word, Currency: r.Amount.Currency,
			Reason: s.reason(r.Reason), Description: text(r.Note),
		}
		if word == statusCompleted {
			at := shownTime(r.History.ReachedAt(payment.RefundSucceeded))
			one.RefundedAt = &at
			if sum == nil {
				sum = &shownSum{}
			}
			sum.Amount, sum.RefundedAt = sum.Amount+one.Amount, max(sum.RefundedAt, at)
		}
		if all || word == statusCompleted {
			shown = append(shown, one)
		}
	}
	return shown, sum
}

// order renders an order.
func (s shower) order(o payment.Order, facets []payment.Facet) shownOrder {
	return shownOrder{
		ID: o.ID.UUID(), Status: orderWords[o.Status], CreatedAt: shownTime(o.CreatedAt), Currency: o.Currency,
		SplitTree: text(orderDocumentOf(facets).SplitTree),
	}
}
