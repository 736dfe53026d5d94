package ping

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// allocation is a part of an order that was set aside for a recipient.
type allocation struct {
	ID            string          `json:"id"`
	AllocatedAt   string          `json:"allocated_at"`
	Amount        money.Minor     `json:"amount"`
	Currency      money.Currency  `json:"currency"`
	DisbursedAt   *string         `json:"disbursed_at"`
	Disbursement  *string         `json:"disbursement_id"`
	Label         *string         `json:"label"`
	Merchant      *string         `json:"merchant_id"`
	Metadata      json.RawMessage `json:"metadata"`
	Payment       string          `json:"payment_id"`
	Order         string          `json:"payment_order_id"`
	BankAccount   *string         `json:"recipient_bank_account"`
	RecipientName string          `json:"recipient_name"`
	RecipientType string          `json:"recipient_type"`
	Reference     string          `json:"reference"`
	SettledAt     *string         `json:"settled_at"`
	ItemMerchant  *string         `json:"order_item_merchant_id"`

	recipient string // as the books name it
}

// disbursement is what a recipient of a settled order was paid.
type disbursement struct {
	ID          string         `json:"id"`
	Amount      money.Minor    `json:"amount"`
	Currency    money.Currency `json:"currency"`
	DisbursedAt string         `json:"disbursed_at"`
	Corrections []any          `json:"manual_corrections"`
	Settlements []settlement   `json:"settlements"`
}

type settlement struct {
	ID            string          `json:"id"`
	Allocation    string          `json:"allocation_id"`
	Amount        money.Minor     `json:"amount"`
	Label         *string         `json:"label"`
	Merchant      *string         `json:"merchant_id"`
	Reference     *string         `json:"reference"`
	Payment       string          `json:"payment_id"`
	Order         string          `json:"payment_order_id"`
	RecipientName string          `json:"recipient_name"`
	RecipientType string          `json:"recipient_type"`
	Metadata      json.RawMessage `json:"metadata"`
}

// The types of recipient.
const (
	recipientTenant   = "tenant"
	recipientMerchant = "merchant"
)

// allocator reads allocations from the books, and asks nothing twice.
type allocator struct {
	door    *Door
	call    *call
	names   map[string]string                    // of recipients
	payouts map[payment.OrderID][]payment.Payout // of orders
	parts   map[payment.PaymentID][]*allocation  // of payments
}

func (d *Door) allocator(c *call) *allocator {
	return &allocator{
		door: d, call: c, names: map[string]string{}, payouts: map[payment.OrderID][]payment.Payout{},
		parts: map[payment.PaymentID][]*allocation{},
	}
}

// of returns the allocations of a payment, as the ledger has them: one for each
// posting by which a split sets something aside, in the order of the lines.
func (a *allocator) of(v payment.View) ([]*allocation, error) {
	p := v.Payment
	if known, ok := a.parts[p.ID]; ok || p.OrderStatus != payment.OrderSplit && p.OrderStatus != payment.OrderSettled {
		return known, nil
	}
	entries, err := a.door.config.Books.Entries(a.call.ctx, a.call.tenant.ID, p.ID)
	if err != nil {
		return nil, err
	}
	var found []*allocation
	for _, entry := range entries {
		if entry.Cause != ledger.Cause(payment.EventPaymentOrderMoved) {
			continue
		}
		then := v.AsOf(entry.Version)
		remaining := then.Remaining()
		for _, posting := range entry.Postings {
			merchant, isAside := recipientOf(posting.Credit)
			if !isAside {
				continue
			}
			part := a.part(then, merchant, posting.Amount, entry.At, len(found))
			if len(found) < len(remaining) {
				part.Metadata = metadataAt(then, remaining[len(found)].Position)
			}
			found = append(found, part)
		}
		if then.Payment.OrderStatus == payment.OrderSettled {
			settled := shownTime(entry.At)
			for _, part := range found {
				part.SettledAt = &settled
			}
		}
	}
	for _, part := range found {
		if err := a.complete(p.Order, part); err != nil {
			return nil, err
		}
	}
	a.parts[p.ID] = found
	return found, nil
}

// recipientOf returns for whom an account sets something aside.
func recipientOf(account ledger.Account) (merchant string, ok bool) {
	before, after, _ := strings.Cut(string(ledger.Allocated("\x00")), "\x00")
	name, isAllocated := strings.CutSuffix(string(account), after)
	name, isMerchants := strings.CutPrefix(name, before)
	return name, isAllocated && isMerchants
}

// metadataAt returns what the owner of a line wrote on it.
func metadataAt(v payment.View, position int) json.RawMessage {
	for _, line := range v.Items {
		if line.Position == position {
			return shownObject(line.Metadata)
		}
	}
	return shownObject("")
}

// part renders one posting.
func (a *allocator) part(v payment.View, merchant string, amount money.Amount, at time.Time, position int) *allocation {
	p, doc, to := v.Payment, documentOf(v), a.call.shower().recipient(merchant)
	shown := &allocation{
		ID: derivedID("allocation", p.ID.UUID(), strconv.Itoa(position)), AllocatedAt: shownTime(at), Amount: amount.Minor,
		Currency: amount.Currency, Merchant: text(to.merchant), Metadata: shownObject(""), Payment: doc.paymentID(p),
		Order: doc.orderID(p), RecipientType: recipientMerchant, ItemMerchant: text(to.merchant), recipient: merchant,
	}
	if to.merchant == "" {
		shown.RecipientType = recipientTenant // a liquidity account is the tenant's own
	}
	return shown
}

// complete adds what is known of the recipient and of what it was paid.
func (a *allocator) complete(order payment.OrderID, part *allocation) error {
	var err error
	if part.RecipientName, err = a.name(part.recipient); err != nil {
		return err
	}
	payouts, err := a.payoutsOf(order)
	if err != nil {
		return err
	}
	for _, payout := range payouts {
		if payout.Merchant == part.recipient && payout.Amount.Currency == part.Currency {
			id, at := payout.ID.UUID(), shownTime(payout.At)
			part.Disbursement, part.DisbursedAt = &id, &at
		}
	}
	return nil
}

// name returns what people call a recipient.
func (a *allocator) name(recipient string) (string, error) {
	if strings.HasPrefix(recipient, liquidityPrefix) {
		return a.call.tenant.Name, nil
	}
	if !isUUID(recipient) {
		return recipient, nil // another door's
	}
	if name, ok := a.names[recipient]; ok {
		return name, nil
	}
	var id payment.ResourceID
	_ = id.ParseUUID(recipient) // it is one
	resource, err := a.door.config.Reader.Resource(a.call.ctx, a.call.tenant.ID, Name, kindMerchant, id)
	if isRule(err, payment.RuleExists) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	known, err := readMerchant(resource)
	a.names[recipient] = known.Name
	return known.Name, err
}

// payoutsMax is how many recipients of an order are looked at.
const payoutsMax = 1000

func (a *allocator) payoutsOf(order payment.OrderID) ([]payment.Payout, error) {
	if known, ok := a.payouts[order]; ok {
		return known, nil
	}
	payouts, err := a.door.config.Reader.Payouts(a.call.ctx, a.call.tenant.ID, payment.PayoutFilter{
		Order: order, Limit: payoutsMax,
	})
	a.payouts[order] = payouts
	return payouts, err
}

// allocationFilter says which allocations are asked for. Zero fields do not matter.
type allocationFilter struct {
	order    payment.OrderID
	payment  payment.PaymentID
	payout   payment.PayoutID
	merchant payment.ResourceID
}

// listAllocations lists what was set aside.
func (d *Door) listAllocations(c *call) (any, error) {
	l := c.readList()
	filter := allocationFilter{
		order: payment.OrderID(c.queryID(pathOrder)), payment: payment.PaymentID(c.queryID(pathPayment)),
		payout: payment.PayoutID(c.queryID("disbursement_id")), merchant: c.queryID("merchant_id"),
	}
	if payout := payment.PayoutID(c.queryID("payout_id")); !payout.IsZero() {
		filter.payout = payout
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	views, err := d.allocatedViews(c, &filter)
	if err != nil {
		return nil, err
	}
	from := d.allocator(c)
	return gather(l, source[payment.View]{
		read:  views,
		place: func(view payment.View) payment.Place { return view.Payment.Place() },
		show: func(view payment.View) ([]any, error) {
			parts, err := from.of(view)
			var rows []any
			for _, part := range parts {
				if filter.fits(part) {
					rows = append(rows, part)
				}
			}
			return rows, err
		},
	})
}

// fits reports whether an allocation is asked for.
func (f allocationFilter) fits(part *allocation) bool {
	isPaid := part.Disbursement != nil && *part.Disbursement == f.payout.UUID()
	isFor := part.Merchant != nil && *part.Merchant == f.merchant.UUID()
	return (f.payout.IsZero() || isPaid) && (f.merchant.IsZero() || isFor)
}

// allocatedViews returns what reads the payments whose allocations are asked
// for. An order that is named must have been split.
func (d *Door) allocatedViews(c *call, filter *allocationFilter,
) (func(after payment.Place, limit int) ([]payment.View, error), error) {
	nothing := func(payment.Place, int) ([]payment.View, error) { return nil, nil }
	if !filter.order.IsZero() {
		order, _, err := d.config.Reader.Order(c.ctx, c.tenant.ID, filter.order)
		if isRule(err, payment.RuleExists) {
			c.order = filter.order
			return nil, d.notSplitOrder(c)
		}
		if err != nil {
			return nil, err
		}
		if order.Status != payment.OrderSplit && order.Status != payment.OrderSettled {
			return nil, notSplit
		}
	}
	if !filter.payout.IsZero() {
		payouts, err := d.config.Reader.Payouts(c.ctx, c.tenant.ID, payment.PayoutFilter{ID: filter.payout, Limit: 1})
		if err != nil || len(payouts) == 0 || !filter.order.IsZero() && filter.order != payouts[0].Order {
			return nothing, err
		}
		filter.order = payouts[0].Order
	}
	if !filter.payment.IsZero() {
		alias := payment.Alias{Kind: paymentAlias, Value: filter.payment.UUID()}
		view, err := d.config.View(c.ctx, c.tenant.ID, filter.payment, alias)
		if isRule(err, payment.RuleExists) || !filter.order.IsZero() && filter.order != view.Payment.Order {
			return nothing, nil
		}
		return once(view), err
	}
	return func(after payment.Place, limit int) ([]payment.View, error) {
		return d.config.Reader.Payments(c.ctx, c.tenant.ID, payment.PaymentFilter{
			Order: filter.order, After: after, Limit: limit, Parts: payment.PartAll,
		})
	}, nil
}

// notSplitOrder refuses the order of a payment that stands alone: it is never split.
func (d *Door) notSplitOrder(c *call) error {
	if _, err := d.lone(c); err != nil {
		return err
	}
	return notSplit
}

// once returns what reads one payment; a list may begin in the middle of it.
func once(view payment.View) func(after payment.Place, limit int) ([]payment.View, error) {
	return func(after payment.Place, _ int) ([]payment.View, error) {
		if after == view.Payment.Place() {
			return nil, nil
		}
		return []payment.View{view}, nil
	}
}

// getDisbursement shows what a recipient was paid.
func (d *Door) getDisbursement(c *call) (any, error) {
	id := payment.PayoutID(c.id())
	if err := c.err(); err != nil {
		return nil, err
	}
	if id.IsZero() {
		return nil, notFound("Disbursement")
	}
	payouts, err := d.config.Reader.Payouts(c.ctx, c.tenant.ID, payment.PayoutFilter{ID: id, Limit: 1})
	if err != nil {
		return nil, err
	}
	if len(payouts) == 0 {
		return nil, notFound("Disbursement")
	}
	return d.disbursement(d.allocator(c), payouts[0])
}

// listDisbursements lists what recipients were paid, in every version without pages.
func (d *Door) listDisbursements(c *call) (any, error) {
	filter := payment.PayoutFilter{
		From: ceil(c.time(c.query.Get("from"), "from")), Until: c.time(c.query.Get("to"), "to").Truncate(time.Microsecond),
		Limit: arrayMax,
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	payouts, err := d.config.Reader.Payouts(c.ctx, c.tenant.ID, filter)
	if err != nil {
		return nil, err
	}
	from, shown := d.allocator(c), []disbursement{}
	for _, payout := range payouts {
		one, err := d.disbursement(from, payout)
		if err != nil {
			return nil, err
		}
		shown = append(shown, one)
	}
	return shown, nil
}

// disbursement renders a payout with the allocations that it pays.
func (d *Door) disbursement(from *allocator, payout payment.Payout) (disbursement, error) {
	shown := disbursement{
		ID: payout.ID.UUID(), Amount: payout.Amount.Minor, Currency: payout.Amount.Currency,
		DisbursedAt: shownTime(payout.At), Corrections: []any{}, Settlements: []settlement{},
	}
	views, err := d.paymentsOf(from.call, payout.Order)
	if err != nil {
		return disbursement{}, err
	}
	for _, view := range views {
		parts, err := from.of(view)
		if err != nil {
			return disbursement{}, err
		}
		for _, part := range parts {
			if part.Disbursement != nil && *part.Disbursement == shown.ID {
				shown.Settlements = append(shown.Settlements, settlement{
					ID: derivedID("settlement", part.ID), Allocation: part.ID, Amount: part.Amount, Merchant: part.Merchant,
					Payment: part.Payment, Order: part.Order, RecipientName: part.RecipientName,
					RecipientType: part.RecipientType, Metadata: part.Metadata,
				})
			}
		}
	}
	return shown, nil
}
