package payment

import (
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Rule names a check for a refund that is asked for, with its settings. The
// order of a command's rules is the order of its door's specification.
type Rule struct {
	Name  RuleName
	On    bool  // the door itself demands it, where a policy may not
	Limit int64 // the door's own limit: minor units, days or calls; 0: none
}

// coreOrder is the order in which rules are checked that a door does not name.
// These hold at every door.
var coreOrder = []RuleName{
	RuleKey, RuleExists, RuleStatus, RuleOrder, RuleCurrency, RuleDispute, RuleOneAtATime, RuleCapture,
	RuleNothingLeft, RuleItems, RuleListSum, RuleRecipients, RuleAmount, RulePartial, RuleNextDay, RuleWindow,
	RuleRefundable, RuleAvailability, RuleMaximum, RuleExpected, RuleDuplicate,
}

// asking is a refund being decided: the command and what it has found out.
type asking struct {
	OpenRefund

	book     *Book
	tenant   *Tenant
	view     View
	found    error // nil: the payment exists
	replayed *KeyRecord
	amount   money.Minor
	lines    []RefundLine
	itemsErr error
	listErr  error // about the list that will be
	counts   bool  // a no from here on is one that the door counts
}

// check runs the door's rules and then the core rules that it did not name.
// The first that fails is the answer. A replay ends the checks.
func (a *asking) check() error {
	named := make([]bool, len(coreOrder))
	for _, rule := range a.Rules {
		if at := slices.Index(coreOrder, rule.Name); at >= 0 {
			named[at] = true
		}
		if err := checks[rule.Name](a, rule); err != nil || a.replayed != nil {
			return err
		}
	}
	for at, name := range coreOrder {
		if named[at] {
			continue
		}
		if err := checks[name](a, Rule{Name: name}); err != nil || a.replayed != nil {
			return err
		}
	}
	return nil
}

// checks has the function of every rule about a refund that is asked for.
var checks = map[RuleName]func(*asking, Rule) error{
	RuleKey: func(a *asking, _ Rule) (err error) {
		a.replayed, err = a.book.use(a.Key)
		return err
	},
	RuleExists:           func(a *asking, _ Rule) error { return a.found },
	RuleStatus:           checkStatus,
	RuleOrder:            checkOrder,
	RuleCurrency:         checkCurrency,
	RuleDispute:          checkDispute,
	RuleOneAtATime:       checkOneAtATime,
	RuleNothingLeft:      checkNothingLeft,
	RuleItems:            func(a *asking, _ Rule) error { return a.itemsErr },
	RuleAmount:           checkAmount,
	RulePartial:          checkPartial,
	RuleNextDay:          checkNextDay,
	RuleWindow:           checkWindow,
	RuleFullAfterPartial: checkFullAfterPartial,
	RuleRefundable:       checkRefundable,
	RuleMaximum:          checkMaximum,
	RuleExpected:         checkExpected,
	RuleFailures:         checkFailures,
	RuleUndisputed:       checkUndisputed,
	RuleAvailability:     checkAvailability,
	RuleCapture:          checkCapture,
	RuleListSum:          checkListSum,
	RuleRecipients:       checkRecipients,
	RuleDuplicate:        checkDuplicate,
}

func checkStatus(a *asking, _ Rule) error {
	if a.view.Payment.Status != PaymentCaptured || a.view.Payment.Captured == 0 {
		return refuse(RuleStatus, "the payment is %s; only captured money can be refunded", a.view.Payment.Status)
	}
	return nil
}

func checkOrder(a *asking, _ Rule) error {
	if status := a.view.Payment.OrderStatus; status == OrderSplit || status == OrderSettled {
		return refuse(RuleOrder, "the payment's order is %s", status)
	}
	return nil
}

func checkCurrency(a *asking, _ Rule) error {
	if a.Currency != "" && a.Currency != a.view.Payment.Amount.Currency {
		return refuse(RuleCurrency, "the payment was made in %s", a.view.Payment.Amount.Currency)
	}
	return nil
}

func checkDispute(a *asking, rule Rule) error {
	open := slices.ContainsFunc(a.view.Disputes, func(d Dispute) bool { return d.IsOpen() && d.Takes() })
	if open && (rule.On || !PolicyDuringDispute.Of(a.tenant.Settings)) {
		return refuse(RuleDispute, "a dispute of the payment is open")
	}
	return nil
}

// checkUndisputed refuses beside any dispute that has taken something, a lost
// one too.
func checkUndisputed(a *asking, _ Rule) error {
	if slices.ContainsFunc(a.view.Disputes, Dispute.Takes) {
		return refuse(RuleUndisputed, "a dispute has taken the payment, or a part of it")
	}
	return nil
}

// checkFailures refuses what is about a payment for which too much has failed.
// Whatever is refused afterwards is counted.
func checkFailures(a *asking, rule Rule) error {
	if err := a.view.Payment.mayFail(rule.Limit); err != nil {
		return err
	}
	a.counts = rule.Limit > 0
	return nil
}

// checkOneAtATime refuses beside another refund where the door or a policy
// says so, and always where one of the two names the list that will be.
func checkOneAtATime(a *asking, rule Rule) error {
	isAlone := rule.On || a.Ask.How == AskList || PolicyOneAtATime.Of(a.tenant.Settings) ||
		slices.ContainsFunc(a.view.Refunds, func(r Refund) bool { return r.List != nil && r.Status.IsRunning() })
	if a.view.Payment.Reserved > 0 && isAlone {
		return refuse(RuleOneAtATime, "another refund of the payment has not ended")
	}
	return nil
}

func checkCapture(a *asking, _ Rule) error {
	if a.Ask.Capture.IsZero() {
		return nil
	}
	capture, ok := a.view.Capture(a.Ask.Capture)
	switch {
	case !ok || capture.Status != CaptureSettled:
		return refuse(RuleCapture, "the payment has no such capture")
	case a.view.LeftOf(capture) == 0:
		return a.withLeft(refuse(RuleNothingLeft, "nothing of the capture is left to refund"))
	}
	return nil
}

// checkNothingLeft is On for a door that lets a payment be refunded once.
func checkNothingLeft(a *asking, rule Rule) error {
	isOver := rule.On && a.view.Payment.Refunded+a.view.Payment.Reserved > 0
	if isOver || a.view.left(Capture{}, a.IsFinal) == 0 {
		return a.withLeft(refuse(RuleNothingLeft, "nothing of the payment is left to refund"))
	}
	return nil
}

func checkListSum(a *asking, _ Rule) error {
	if a.Ask.How != AskList {
		return nil
	}
	if sum, is := totalOf(a.Ask.List), totalOf(a.view.List()); a.amount+sum != is {
		return a.withLeft(refuse(RuleListSum, "the amount and the lines that will be do not add up to the lines that are"))
	}
	return nil
}

// checkRecipients is On for a door that looks at the sum of a list only.
func checkRecipients(a *asking, rule Rule) error {
	if rule.On {
		return nil
	}
	return a.listErr
}

// checkAvailability is On where a payment of which a part was refunded is
// refunded in parts only.
func checkAvailability(a *asking, rule Rule) error {
	p, left := a.view.Payment, a.left()
	isPartial := p.Availability == RefundsPartialOnly || rule.On && p.Refunded+p.Reserved > 0
	switch {
	case p.Availability == RefundsNone:
		return refuse(RuleAvailability, "the payment's method gives nothing back")
	case p.Availability == RefundsWholeOnly && a.amount != left:
		return a.withLeft(refuse(RuleAvailability, "only the whole of the payment can be refunded"))
	case isPartial && a.amount >= left:
		return a.withLeft(refuse(RuleAvailability, "only a part of the payment can be refunded"))
	}
	return nil
}

func checkAmount(a *asking, _ Rule) error {
	if a.amount < 1 || a.amount > money.Max {
		return refuse(RuleAmount, "the amount is out of range")
	}
	return nil
}

func checkPartial(a *asking, rule Rule) error {
	isPartial := a.amount < a.view.Payment.Captured
	if isPartial && (rule.On || !PolicyPartial.Of(a.tenant.Settings)) {
		return refuse(RulePartial, "partial refunds are not enabled")
	}
	return nil
}

func checkNextDay(a *asking, _ Rule) error {
	p := a.view.Payment
	countries := HomeRulesOf(p.Home).NextDayCountries.Of(a.tenant.Settings)
	if p.Country == "" || !slices.Contains(countries, p.Country) {
		return nil
	}
	from := p.CapturedAt().UTC().Truncate(24*time.Hour).AddDate(0, 0, 1)
	if a.book.Now.Before(from) {
		refusal := refuse(RuleNextDay, "the payment can be refunded from the next day")
		refusal.From = from
		return refusal
	}
	return nil
}

func checkWindow(a *asking, rule Rule) error {
	p := a.view.Payment
	for _, days := range []int64{
		rule.Limit, PolicyWindowDays.Of(a.tenant.Settings), HomeRulesOf(p.Home).WindowDays.Of(a.tenant.Settings),
	} {
		if days > 0 && a.book.Now.After(p.CapturedAt().AddDate(0, 0, int(days))) {
			return refuse(RuleWindow, "the payment can be refunded for %d days only", days)
		}
	}
	return nil
}

func checkFullAfterPartial(a *asking, _ Rule) error {
	if a.Ask.How == AskWhole && a.view.Payment.claimed() > 0 {
		return a.withLeft(refuse(RuleFullAfterPartial, "a part of the payment is refunded already: name an amount"))
	}
	return nil
}

func checkRefundable(a *asking, _ Rule) error {
	if left := a.left(); a.amount > left {
		return a.withLeft(refuse(RuleRefundable, "only %s of the payment is left to refund",
			money.Of(left, a.view.Payment.Amount.Currency)))
	}
	return nil
}

func checkMaximum(a *asking, rule Rule) error {
	for _, limit := range []int64{rule.Limit, PolicyMaximum.Of(a.tenant.Settings)} {
		if limit > 0 && int64(a.amount) > limit {
			return refuse(RuleMaximum, "one refund may give back %d minor units at the most", limit)
		}
	}
	return nil
}

func checkExpected(a *asking, _ Rule) error {
	if left := a.view.Payment.Totals.Refundable(); a.Expected != nil && *a.Expected != left {
		return a.withLeft(refuse(RuleExpected, "%s of the payment is left to refund, not what was expected",
			a.view.Payment.Refundable()))
	}
	return nil
}

func checkDuplicate(a *asking, _ Rule) error {
	minutes := PolicyDuplicateMinutes.Of(a.tenant.Settings)
	if minutes == 0 || a.Repeats || a.Key.Hash != (KeyHash{}) {
		return nil
	}
	since := a.book.Now.Add(-time.Duration(minutes) * time.Minute)
	for _, earlier := range a.view.Refunds {
		if earlier.Status.Effect() != EffectNone && earlier.CreatedAt.After(since) && a.isLike(earlier) {
			return refuse(RuleDuplicate, "an equal refund was made within %d minutes", minutes)
		}
	}
	return nil
}

func (a *asking) isLike(earlier Refund) bool {
	return earlier.Amount.Minor == a.amount && earlier.Actor == a.Actor &&
		slices.Equal(unitsOf(earlier.Lines), unitsOf(a.lines))
}

// unitsOf returns what a refund named of line items. How an amount falls on
// them is no wish of the one who asked.
func unitsOf(lines []RefundLine) []ItemAsk {
	var units []ItemAsk
	for _, line := range lines {
		if line.Quantity > 0 {
			units = append(units, ItemAsk{line.Position, line.Quantity})
		}
	}
	return units
}

func (a *asking) withLeft(refusal *Refusal) *Refusal {
	refusal.Refundable = money.Of(a.left(), a.view.Payment.Amount.Currency)
	return refusal
}

// left returns how much may be asked for: of the capture that is named, or of
// the payment.
func (a *asking) left() money.Minor {
	capture, _ := a.view.Capture(a.Ask.Capture)
	return a.view.left(capture, a.IsFinal)
}
