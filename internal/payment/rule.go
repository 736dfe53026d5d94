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
	RuleKey, RuleExists, RuleHalted, RuleStatus, RuleOrder, RuleErased, RuleCurrency, RuleReason, RuleDispute,
	RuleDuplicate, RuleOneAtATime, RuleCapture, RuleNothingLeft, RuleItems, RuleListSum, RuleRecipients, RuleAmount, RulePartial,
	RuleNextDay, RuleWindow, RuleRefundable, RuleAvailability, RuleMaximum, RuleVelocity, RuleExpected, RulePreview,
}

// asking is a refund being decided: the command and what it has found out.
type asking struct {
	OpenRefund

	book      *Book
	tenant    *Tenant
	view      View
	found     error // nil: the payment exists
	replayed  *KeyRecord
	amount    money.Minor
	lines     []RefundLine
	pieces    []piece // each becomes a refund
	itemsErr  error
	listErr   error // about the list that will be
	counts    bool  // a no from here on is one that the door counts
	isOwnWord bool  // the reason is the door's word, for which the tenant has no code
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
	RuleHalted:           checkHalted,
	RuleReason:           checkReason,
	RuleVelocity:         checkVelocity,
	RulePreview:          checkPreview,
	RuleErased:           checkErased,
}

func checkHalted(a *asking, _ Rule) error {
	if a.tenant.Halts(a.view.Payment.Connector) {
		return refuse(RuleHalted, "refunds have been stopped")
	}
	return nil
}

func checkStatus(a *asking, _ Rule) error {
	if a.view.Payment.Status != PaymentCaptured || a.view.Payment.Captured == 0 {
		return refuse(RuleStatus, "the payment is %s; only captured money can be refunded", a.view.Payment.Status)
	}
	return a.checkRetried()
}

// checkRetried refuses to retry what has moved money, or may yet.
func (a *asking) checkRetried() error {
	if a.RetryOf.IsZero() {
		return nil
	}
	earlier, ok := a.view.Refund(a.RetryOf)
	if !ok {
		return refuse(RuleExists, "the payment has no such refund to retry")
	}
	if earlier.Status.Effect() != EffectNone {
		return refuse(RuleStatus, "the refund to retry is %s", earlier.Status)
	}
	for _, other := range a.view.Refunds {
		if other.RetryOf != earlier.ID && other.Corrects != earlier.ID {
			continue
		}
		switch other.Status.Effect() {
		case EffectReserved:
			return refuse(RuleOneAtATime, "another retry of the refund has not ended")
		case EffectRefunded:
			if other.Corrects == earlier.ID {
				return refuse(RuleStatus, "the money of the refund to retry has moved after all")
			}
			return refuse(RuleStatus, "the refund was retried before, and that has succeeded")
		case EffectNone:
		}
	}
	return nil
}

// checkReason holds a refund to the tenant's reasons, where there is a list. A
// door's own word passes, and so does what the refund that is retried was for.
func checkReason(a *asking, _ Rule) error {
	settings := a.tenant.Settings
	reasons := PolicyReasons.Of(settings)
	isMissing := a.Reason == "" && (a.Word.Text == "" || len(reasons) > 0)
	switch {
	case isMissing && PolicyReasonRequired.Of(settings):
		return refuse(RuleReason, "a refund needs a reason")
	case a.Reason == "", len(reasons) == 0, a.isOwnWord:
		return nil
	}
	if earlier, ok := a.view.Refund(a.RetryOf); ok && !a.RetryOf.IsZero() && earlier.Reason == a.Reason {
		return nil
	}
	switch {
	case !slices.Contains(reasons, a.Reason):
		return refuse(RuleReason, "the reason is not one of the tenant's")
	case slices.Contains(ReasonsRetired.Of(settings), a.Reason):
		return refuse(RuleReason, "the reason is retired")
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
	isAlone := rule.On || a.Ask.How == AskList || PolicyOneAtATime.Of(a.tenant.Settings) || a.view.Payment.Listed > 0
	if a.view.Payment.Reserved > 0 && isAlone {
		return refuse(RuleOneAtATime, "another refund of the payment has not ended")
	}
	return nil
}

// checkCapture is On for a door that answers a request with one refund: what
// reaches over several captures would become several.
func checkCapture(a *asking, rule Rule) error {
	if a.Ask.Capture.IsZero() {
		return a.checkSingle(rule)
	}
	capture, ok := a.view.Capture(a.Ask.Capture)
	switch {
	case !ok || capture.Status != CaptureSettled:
		return refuse(RuleCapture, "the payment has no such capture")
	case a.left() == 0:
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

// checkNextDay refuses a payment that is too young: what would leave before a
// policy lets it, and what its country lets go from the next day on only.
func checkNextDay(a *asking, _ Rule) error {
	p := a.view.Payment
	if from := p.earliest(a.tenant); a.book.Now.Before(from) && a.NotBefore.Before(from) {
		refusal := refuse(RuleNextDay, "the payment cannot be refunded yet")
		refusal.From = from
		return refusal
	}
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

// checkWindow refuses a payment that is too old.
func checkWindow(a *asking, rule Rule) error {
	p := a.view.Payment
	days := p.windowDays(a.tenant)
	if rule.Limit > 0 && (days == 0 || rule.Limit < days) {
		days = rule.Limit
	}
	if days > 0 && a.book.Now.After(p.CapturedAt().AddDate(0, 0, int(days))) {
		return refuse(RuleWindow, "the payment can be refunded for %d days only", days)
	}
	return nil
}

// earliest returns when a refund of the payment may leave, the zero time if always.
func (p Payment) earliest(t *Tenant) time.Time {
	hours := PolicyEarliestHours.Of(t.Settings)
	if hours == 0 {
		return time.Time{}
	}
	return p.CapturedAt().Add(time.Duration(hours) * time.Hour)
}

// windowDays returns for how many days after capture the payment can be
// refunded, whichever door asks; 0: for ever.
func (p Payment) windowDays(t *Tenant) int64 {
	policy, home := PolicyWindowDays.Of(t.Settings), HomeRulesOf(p.Home).WindowDays.Of(t.Settings)
	if policy == 0 || home > 0 && home < policy {
		return home
	}
	return policy
}

func checkFullAfterPartial(a *asking, _ Rule) error {
	if a.Ask.How == AskWhole && a.view.Payment.claimed() > 0 {
		return a.withLeft(refuse(RuleFullAfterPartial, "a part of the payment is refunded already: name an amount"))
	}
	return nil
}

func checkRefundable(a *asking, _ Rule) error {
	if left := a.left(); a.amount > left {
		what := "payment"
		if !a.Ask.Capture.IsZero() {
			what = "capture"
		}
		return a.withLeft(refuse(RuleRefundable, "only %s of the %s is left to refund",
			money.Of(left, a.view.Payment.Amount.Currency), what))
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
	if minutes == 0 || a.mayRepeat() {
		return nil
	}
	since := a.book.Now.Add(-time.Duration(minutes) * time.Minute)
	for _, earlier := range a.view.Refunds {
		if earlier.CreatedAt.After(since) && a.isLike(earlier) {
			return refuse(RuleDuplicate, "an equal refund was made within %d minutes", minutes)
		}
	}
	return nil
}

// mayRepeat reports whether an equal refund shortly before is no mistake: the
// caller says so, or has keys to tell its refunds apart.
func (c OpenRefund) mayRepeat() bool { return c.Repeats || c.Key.Hash != (KeyHash{}) }

// isLike reports whether the same was asked for before, by the same actor, and
// is not over without money moving. What an amount comes to depends on what was
// left, and how it falls on lines is no wish of the one who asked: units are
// compared where units were named, lists where a list was, and "all of it" is
// the same however much it was.
func (a *asking) isLike(earlier Refund) bool {
	if earlier.Actor != a.Actor || earlier.Status.Effect() == EffectNone || !a.isOfSameCapture(earlier) {
		return false
	}
	var amount money.Minor
	var units []ItemAsk
	for _, r := range a.view.Group(earlier.ID) {
		amount += r.Amount.Minor
		units = append(units, unitsOf(r.Lines)...)
	}
	isSame := amount == a.amount
	switch a.Ask.How {
	case AskItems:
		return len(units) > 0 && slices.Equal(sorted(units), sorted(a.Ask.Items))
	case AskList:
		return isSame && earlier.List != nil && slices.Equal(gets(*earlier.List), gets(a.Ask.List))
	case AskRemaining, AskWhole:
		isSame = isSame || earlier.How == a.Ask.How
	case AskAmount:
	}
	return isSame && len(units) == 0 && earlier.List == nil
}

// isOfSameCapture reports whether both name the same capture, or none. Where
// the processor refunds captures, every refund has one without naming it.
func (a *asking) isOfSameCapture(earlier Refund) bool {
	if a.view.Payment.PerCapture && a.Ask.Capture.IsZero() {
		return true
	}
	return earlier.Capture == a.Ask.Capture
}

// unitsOf returns what a refund named of line items.
func unitsOf(lines []RefundLine) []ItemAsk {
	var units []ItemAsk
	for _, line := range lines {
		if line.Quantity > 0 {
			units = append(units, ItemAsk{line.Position, line.Quantity})
		}
	}
	return units
}

// sorted returns units in the order of lines: in which they are named does not matter.
func sorted(units []ItemAsk) []ItemAsk {
	units = slices.Clone(units)
	slices.SortFunc(units, func(a, b ItemAsk) int { return a.Position - b.Position })
	return units
}

// gets returns what of a list matters: who gets how much.
func gets(list []Item) []share {
	shares := make([]share, len(list))
	for i, item := range list {
		shares[i] = share{item.Merchant, item.Total}
	}
	return shares
}

// checkPreview refuses what differs from the preview that the caller has seen.
func checkPreview(a *asking, _ Rule) error {
	if a.Expect != "" && a.Expect != a.digest() {
		return a.withLeft(refuse(RulePreview, "what would happen now differs from the preview"))
	}
	return nil
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
