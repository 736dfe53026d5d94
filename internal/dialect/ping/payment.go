package ping

import (
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// getPayment shows a payment.
func (d *Door) getPayment(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	view, err := d.view(c)
	if err != nil {
		return nil, err
	}
	return c.shower().payment(view), nil
}

// updatePayment lets other lines take the place of a payment's. Their sum stays.
func (d *Door) updatePayment(c *call) (any, error) {
	items := c.neededItems(c.body.Get("order_items"))
	if err := c.err(); err != nil {
		return nil, err
	}
	view, err := d.view(c)
	if err != nil {
		return nil, err
	}
	if documentOf(view).Items == nil { // else the sum is that of what was asked for
		return nil, d.changeItems(c, view, items)
	}
	err = d.changeAsked(c, view, items)
	if !isRule(err, payment.RuleStatus) {
		return nil, err
	}
	if view, err = d.view(c); err != nil { // it was taken, or has ended: what it is for is another thing now
		return nil, err
	}
	if documentOf(view).Items == nil {
		return nil, d.changeItems(c, view, items)
	}
	return nil, d.changeAsked(c, view, items)
}

// changeItems replaces the lines that the books have.
func (d *Door) changeItems(c *call, view payment.View, items []item) error {
	if err := d.mayReplace(c, view, items); err != nil {
		return err
	}
	return d.replaceItems(c, view, lines(items, c.shower().names(view)), items)
}

// changeAsked replaces the lines that what was asked for is for. They are not
// in the books: another amount came in. [payment.RuleStatus]: meanwhile the
// payment is another's.
func (d *Door) changeAsked(c *call, view payment.View, items []item) error {
	if expected, actual := totalOf(documentOf(view).Items), sum(0, items); int64(expected) != actual {
		return mismatch(int64(expected), actual)
	}
	if err := d.needMerchants(c, items, "order_items"); err != nil {
		return err
	}
	doc := document{Items: lines(items, c.shower().names(view))}
	_, err := d.config.Engine.Do(c.ctx, payment.DocumentPayment{
		Meta: c.meta(), Payment: view.Payment.ID, Document: doc.bytes(), While: view.Payment.Status,
		Kind: payment.EventPaymentItems,
	})
	return err
}

// mayReplace makes the merchants that new lines name, unless it is plain that
// the lines will be refused.
func (d *Door) mayReplace(c *call, view payment.View, items []item) error {
	if int64(totalOf(view.List())) != sum(0, items) || view.Payment.Reserved > 0 {
		return nil // the rules say so
	}
	return d.needNewMerchants(c, items, c.shower().names(view), "order_items")
}

// replaceItems replaces the lines of a payment, and says a rule's no.
func (d *Door) replaceItems(c *call, view payment.View, list []payment.Item, items []item) error {
	_, err := d.config.Engine.Do(c.ctx, payment.ReplaceItems{Meta: c.meta(), Payment: view.Payment.ID, List: list})
	switch rule := ruleOf(err); rule {
	case payment.RuleListSum, payment.RuleItems:
		return mismatch(int64(totalOf(view.List())), sum(0, items))
	case payment.RuleOrder, payment.RuleOneAtATime:
		now, readErr := d.config.Reader.View(c.ctx, c.tenant.ID, view.Payment.ID)
		if readErr != nil {
			return readErr
		}
		return explain(rule, now, refundAsked{}, "")
	default:
		return err
	}
}

// mismatch says that lines do not add up to what they must.
func mismatch(expected, actual int64) *word {
	said := invalid(amountMismatch, "order_items", "the sum of order_items must stay")
	return said.with(map[string]any{"expected": expected, "actual": actual})
}

// stop gives a payment up. One that has ended stays as it is.
func (d *Door) stop(c *call) (any, error) {
	if err := c.err(); err != nil {
		return nil, err
	}
	view, err := d.view(c)
	if err != nil {
		return nil, err
	}
	_, err = d.config.Engine.Do(c.ctx, payment.CancelPayment{
		Meta: c.meta(), Payment: view.Payment.ID, Document: document{Status: statusStopped}.bytes(),
	})
	if isRule(err, payment.RuleStatus) {
		return nil, nil
	}
	return nil, err
}

// reconcile takes what came in for a payment, for the lines that it is for.
// What came in does not change: lines that are for another amount are refused,
// and nothing is done.
func (d *Door) reconcile(c *call) (any, error) {
	given := c.body.Get("order_items")
	items := c.items(given, "order_items")
	if err := c.err(); err != nil {
		return nil, err
	}
	view, err := d.view(c)
	if err != nil {
		return nil, err
	}
	doc, amount := documentOf(view), view.Payment.Amount.Minor
	var list *[]payment.Item // nil: the lines that it was asked for
	isOther := doc.Items != nil
	if given.Is(wire.Array) {
		lines := lines(items, c.shower().names(view))
		list, isOther = &lines, totalOf(lines) != amount
	}
	if isOther || !isFunded(doc.word(view.Payment.Status)) {
		return nil, notNow
	}
	if err := d.needMerchants(c, items, "order_items"); err != nil {
		return nil, err
	}
	_, err = d.config.Engine.Do(c.ctx, payment.CompletePayment{
		Meta: c.meta(), Payment: view.Payment.ID, To: payment.PaymentCaptured, Method: view.Payment.Method,
		Availability: view.Payment.Availability, List: list,
	})
	if rule := ruleOf(err); rule != "" && rule != payment.RuleExists {
		return nil, notNow // somebody else was faster
	}
	return nil, err
}

// listPayments lists the payments that were made here.
func (d *Door) listPayments(c *call) (any, error) {
	l := c.readList()
	filter, fits := c.readPaymentFilter()
	if err := c.err(); err != nil {
		return nil, err
	}
	return gather(l, source[payment.View]{
		read: func(after payment.Place, limit int) ([]payment.View, error) {
			filter.After, filter.Limit = after, limit
			return d.config.Reader.Payments(c.ctx, c.tenant.ID, filter)
		},
		place: func(view payment.View) payment.Place { return view.Payment.Place() },
		show: func(view payment.View) ([]any, error) {
			if !fits(view) {
				return nil, nil
			}
			return []any{c.shower().payment(view)}, nil
		},
	})
}

// readPaymentFilter reads which payments are asked for. What a store does not
// know of them is looked at one by one.
func (c *call) readPaymentFilter() (payment.PaymentFilter, func(payment.View) bool) {
	filter := payment.PaymentFilter{
		Home: Name, From: ceil(c.time(c.query.Get("from_initiated_date_time"), "from_initiated_date_time")),
		Until: c.time(c.query.Get("to_initiated_date_time"), "to_initiated_date_time").Truncate(time.Microsecond),
		Parts: payment.PartAll,
	}
	if text := c.query.Get(pathOrder); text != "" {
		filter.Home = "" // an order's payments are all of them
		if filter.Order.ParseUUID(text) != nil {
			c.wrong(invalidValue, pathOrder, "UUID expected")
		}
	}
	status := c.queryWord("status", statuses)
	if status != "" {
		filter.Statuses = domainStatuses(status)
	}
	provider, method := c.queryWord("provider", providers), c.queryWord("method", methods)
	wantsRefund, isAsked := c.queryBool("is_refund_requested")
	return filter, func(view payment.View) bool {
		doc := documentOf(view)
		return (status == "" || doc.word(view.Payment.Status) == status) && (provider == "" || doc.Provider == provider) &&
			(method == "" || doc.Method == method) && (!isAsked || (len(view.FinalRefunds()) > 0) == wantsRefund)
	}
}

// domainStatuses returns which of the domain's statuses may be called this.
func domainStatuses(word string) []payment.PaymentStatus {
	found := []payment.PaymentStatus{statusOf[word]}
	for status, called := range paymentWords {
		if called == word && status != statusOf[word] {
			found = append(found, status)
		}
	}
	return found
}
