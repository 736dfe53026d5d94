package payment

import (
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/setting"
)

// CounterKind says what a [Counter] counts, and of whom.
type CounterKind string

// The kinds of counter. Each belongs to a policy, and is kept only where that
// policy sets a limit.
const (
	CountOfKey     CounterKind = "count_key"
	CountOfUser    CounterKind = "count_user"
	CountOfTenant  CounterKind = "count_tenant"
	AmountOfKey    CounterKind = "amount_key"
	AmountOfUser   CounterKind = "amount_user"
	AmountOfTenant CounterKind = "amount_tenant"
)

// CounterID names what is counted: refunds, or the sum of their amounts in one
// currency, in one UTC day.
type CounterID struct {
	Tenant   TenantID
	Kind     CounterKind
	Name     string         // the actor, or the person's id; empty: all of the tenant's
	Day      time.Time      // midnight, UTC
	Currency money.Currency // of a sum; empty: refunds are counted
}

// Counter is how much was counted.
type Counter struct {
	CounterID

	Value int64
}

// CounterChange is what a commit counts. It holds only while the counter stays
// within the limit: somebody else may have counted since it was read, and then
// the race is lost.
type CounterChange struct {
	CounterID

	Delta int64
	Limit int64 // with a Delta above zero
}

// Counted is what a refund has counted towards, so that it can be given back.
type Counted struct {
	Day time.Time
	By  []CounterKind // empty: no policy asked
}

// velocity is a policy that limits what a day may see.
type velocity struct {
	kind   CounterKind
	policy setting.Int
	isSum  bool
	whose  string // for the sentence that says no
}

var velocities = []velocity{
	{CountOfKey, PolicyDailyCountKey, false, "of one key"},
	{CountOfUser, PolicyDailyCountUser, false, "of one user"},
	{CountOfTenant, PolicyDailyCountTenant, false, "in all"},
	{AmountOfKey, PolicyDailyAmountKey, true, "of one key"},
	{AmountOfUser, PolicyDailyAmountUser, true, "of one user"},
	{AmountOfTenant, PolicyDailyAmountTenant, true, "in all"},
}

// dayOf returns the UTC day that a time is in.
func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// counter names the counter of a kind for a refund of an actor and a person. It
// returns false if there is nobody to count for.
func (k CounterKind) counter(tenant TenantID, actor string, person PersonID, currency money.Currency, day time.Time,
) (CounterID, bool) {
	id := CounterID{Tenant: tenant, Kind: k, Day: day}
	switch k {
	case AmountOfKey, AmountOfUser, AmountOfTenant:
		id.Currency = currency
	case CountOfKey, CountOfUser, CountOfTenant:
	}
	switch k {
	case CountOfKey, AmountOfKey:
		id.Name = actor
	case CountOfUser, AmountOfUser:
		id.Name = person.String()
		return id, !person.IsZero()
	case CountOfTenant, AmountOfTenant:
	}
	return id, true
}

// Counters returns the counters that a command's rules look at, now that the
// payment and its tenant are known. A store reads them without a lock: what is
// counted meanwhile shows when it is written, see [CounterChange].
func (n Need) Counters(p Payment, t *Tenant, now time.Time) []CounterID {
	if !n.Opens || len(t.Settings) == 0 {
		return nil
	}
	var ids []CounterID
	person := Meta{Tenant: t.ID, User: n.User}.Person()
	for _, v := range velocities {
		if v.policy.Of(t.Settings) == 0 {
			continue
		}
		if id, ok := v.kind.counter(t.ID, n.Actor, person, p.Amount.Currency, dayOf(now)); ok {
			ids = append(ids, id)
		}
	}
	return ids
}

// PutCounter gives the book a counter that was read. One that was not there
// need not be given.
func (b *Book) PutCounter(counter Counter) {
	if b.counters == nil {
		b.counters = map[CounterID]int64{}
	}
	b.counters[counter.CounterID] = counter.Value
}

// count counts, or gives back.
func (b *Book) count(id CounterID, delta, limit int64) {
	change, ok := b.counted[id]
	if !ok {
		if b.counted == nil {
			b.counted = map[CounterID]*CounterChange{}
		}
		change = &CounterChange{CounterID: id}
		b.counted[id] = change
		b.Changes.Counters = append(b.Changes.Counters, change)
	}
	b.PutCounter(Counter{id, b.counters[id] + delta})
	change.Delta += delta
	change.Limit = max(change.Limit, limit)
}

// checkVelocity refuses what a day has no room for any more.
func checkVelocity(a *asking, _ Rule) error {
	now, currency := a.book.Now, a.view.Payment.Amount.Currency
	for _, v := range velocities {
		limit := v.policy.Of(a.tenant.Settings)
		if limit == 0 {
			continue
		}
		id, ok := v.kind.counter(a.Tenant, a.Actor, a.Person(), currency, dayOf(now))
		if !ok {
			continue
		}
		room := max(0, limit-a.book.counters[id])
		if v.isSum && int64(a.amount) > room {
			refusal := refuse(RuleVelocity, "the refunds %s may give back %s a day",
				v.whose, money.Of(money.Minor(limit), currency))
			refusal.Refundable = money.Of(min(a.left(), money.Minor(room)), currency)
			refusal.From = id.Day.AddDate(0, 0, 1)
			return refusal
		}
		if !v.isSum && int64(len(a.pieces)) > room {
			refusal := refuse(RuleVelocity, "there may be %d refunds %s a day", limit, v.whose)
			refusal.From = id.Day.AddDate(0, 0, 1)
			return refusal
		}
	}
	return nil
}

// countOpened counts a refund that is opened, where policies ask.
func (a *asking) countOpened(r *Refund) {
	day := dayOf(a.book.Now)
	for _, v := range velocities {
		limit := v.policy.Of(a.tenant.Settings)
		if limit == 0 {
			continue
		}
		if id, ok := v.kind.counter(r.Tenant, r.Actor, r.Person, r.Amount.Currency, day); ok {
			r.Counted.Day = day
			r.Counted.By = append(r.Counted.By, v.kind)
			a.book.count(id, r.counts(v.kind), limit)
		}
	}
}

// counts returns how much a refund counts for.
func (r Refund) counts(kind CounterKind) int64 {
	switch kind {
	case AmountOfKey, AmountOfUser, AmountOfTenant:
		return int64(r.Amount.Minor)
	case CountOfKey, CountOfUser, CountOfTenant:
	}
	return 1
}

// uncount gives back what a refund counted on the day on which it was opened:
// no money has moved.
func (b *Book) uncount(r Refund) {
	for _, kind := range r.Counted.By {
		if id, ok := kind.counter(r.Tenant, r.Actor, r.Person, r.Amount.Currency, r.Counted.Day); ok {
			b.count(id, -r.counts(kind), 0)
		}
	}
}
