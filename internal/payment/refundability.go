package payment

import (
	"errors"
	"time"

	"github.com/refundry/refundry/internal/money"
)

// Allowance is what one refund of a payment may ask for now, and why no more.
type Allowance struct {
	Max      money.Amount // zero: nothing
	Min      money.Amount
	Refusals []*Refusal // each rule that says no to every refund now, in the order in which they are asked
	From     time.Time  // when refunds may leave, if that is still ahead; zero: now
	Until    time.Time  // after this it is too late; zero: never
	Exposure Exposure
	Captures []CaptureLeft // oldest first
	Items    []ItemLeft    // in the order of lines
}

// ItemLeft is what refunds have left of a line.
type ItemLeft struct {
	Position int
	Quantity int64 // units that nobody has named
	Amount   money.Minor
	Tax      money.Minor // the part of Amount that is tax
}

// standing are the rules that say no whatever is asked for.
var standing = []RuleName{
	RuleHalted, RuleStatus, RuleOrder, RuleDispute, RuleOneAtATime, RuleNothingLeft, RuleNextDay, RuleWindow,
}

// NeedOfRefundability says what [Refundability] needs to have read.
func NeedOfRefundability(meta Meta, id PaymentID) Need {
	return Need{
		Tenant: meta.Tenant, Payment: id, Parts: PartCaptures | PartItems | PartDisputes, Opens: true,
		Actor: meta.Actor, User: meta.User,
	}
}

// Refundability says what a refund of a payment may ask for now, whichever door
// it comes through: a door may have rules of its own. The view has what
// [NeedOfRefundability] says; counters that are given limit the amount too, see [Need.Counters].
func Refundability(v View, t *Tenant, now time.Time, counters ...Counter) Allowance {
	a := OpenRefund{
		Meta: Meta{Tenant: v.Payment.Tenant}, Payment: v.Payment.ID, Ask: Ask{How: AskRemaining},
	}.ask(trial(v, t, now, counters))
	p := v.Payment
	allowed := Allowance{Exposure: v.Exposure(), Captures: v.LeftOfCaptures(), Items: v.leftOfItems()}
	for _, name := range standing {
		if err := checks[name](a, Rule{Name: name}); err != nil {
			allowed.say(err)
		}
		if p.Captured == 0 && name == RuleStatus {
			break // the others would speak of a capture that there is not
		}
	}
	least, most := a.bounds(counters)
	if len(allowed.Refusals) == 0 && least > most {
		allowed.say(a.tooNarrow(least, most, counters))
	}
	if len(allowed.Refusals) > 0 {
		least, most = 0, 0
	}
	allowed.capped(a.left())
	allowed.Min, allowed.Max = money.Of(least, p.Amount.Currency), money.Of(most, p.Amount.Currency)
	if days := p.windowDays(t); days > 0 && p.Captured > 0 {
		allowed.Until = p.CapturedAt().AddDate(0, 0, int(days))
	}
	return allowed
}

// capped lets no capture and no line have more left than the payment has: a dispute
// may have taken it, whichever of them it was about.
func (a *Allowance) capped(left money.Minor) {
	for i := range a.Captures {
		a.Captures[i].Left = min(a.Captures[i].Left, left)
	}
	for i := range a.Items {
		a.Items[i].Amount = min(a.Items[i].Amount, left)
		a.Items[i].Tax = min(a.Items[i].Tax, a.Items[i].Amount)
	}
}

// say adds a rule's no. Some say from when on they would say yes.
func (a *Allowance) say(err error) {
	var refusal *Refusal
	if !errors.As(err, &refusal) {
		return
	}
	a.Refusals = append(a.Refusals, refusal)
	if refusal.From.After(a.From) {
		a.From = refusal.From
	}
}

// bounds returns the least and the most that may be asked for.
func (a *asking) bounds(counters []Counter) (least, most money.Minor) {
	p, settings := a.view.Payment, a.tenant.Settings
	least, most = 1, a.left()
	switch p.Availability {
	case RefundsNone:
		most = 0
	case RefundsWholeOnly:
		least = most
	case RefundsPartialOnly:
		most--
	case RefundsAll:
	}
	if !PolicyPartial.Of(settings) {
		least = max(least, p.Captured)
	}
	if limit := PolicyMaximum.Of(settings); limit > 0 {
		most = min(most, money.Minor(limit))
	}
	for _, counter := range counters {
		most = min(most, counter.room(a.tenant))
	}
	return least, most
}

// room returns how much one more refund may ask for beside what was counted.
func (c Counter) room(t *Tenant) money.Minor {
	for _, v := range velocities {
		limit := v.policy.Of(t.Settings)
		switch {
		case v.kind != c.Kind || limit == 0:
		case v.isSum:
			return max(0, money.Minor(limit-c.Value))
		case limit <= c.Value:
			return 0
		}
	}
	return money.Max
}

// tooNarrow returns which rule leaves nothing between the least and the most.
func (a *asking) tooNarrow(least, most money.Minor, counters []Counter) error {
	for _, counter := range counters {
		if counter.room(a.tenant) <= most && counter.room(a.tenant) < least {
			refusal := refuse(RuleVelocity, "a day has no room for more")
			refusal.From = counter.Day.AddDate(0, 0, 1)
			return refusal
		}
	}
	a.amount = least
	for _, name := range []RuleName{RuleAvailability, RulePartial, RuleRefundable, RuleMaximum} {
		if err := checks[name](a, Rule{Name: name}); err != nil {
			return err
		}
	}
	return refuse(RuleAvailability, "no amount can be refunded")
}

// leftOfItems returns what refunds have left of each line.
func (v View) leftOfItems() []ItemLeft {
	claimed := v.claimed()
	var lefts []ItemLeft
	for _, item := range v.Current() {
		took := claimed[item.Position]
		lefts = append(lefts, ItemLeft{
			Position: item.Position, Quantity: max(0, item.Quantity-took.Quantity),
			Amount: max(0, item.Total-took.Amount), Tax: max(0, item.Tax-took.Tax),
		})
	}
	return lefts
}
