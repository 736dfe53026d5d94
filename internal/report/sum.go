package report

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// sums are what rows of a report that sums up are made of: a value for each
// key. There are few keys, however many things are summed up.
type sums[K comparable, V any] map[K]*V

// of returns the value of a key, and an error if there are too many keys.
func (s sums[K, V]) of(key K) (*V, error) {
	value, known := s[key]
	if !known {
		if len(s) >= groupsMax {
			return nil, errTooMany
		}
		value = new(V)
		s[key] = value
	}
	return value, nil
}

// each gives every value, in the order of keys.
func (s sums[K, V]) each(order func(a, b K) int, each func(K, V) error) error {
	for _, key := range slices.SortedFunc(maps.Keys(s), order) {
		if err := each(key, *s[key]); err != nil {
			return err
		}
	}
	return nil
}

// tally is how many there are, and what they come to, in minor units; it may be
// beyond what one amount can be.
type tally struct{ count, minor int64 }

func (t *tally) add(minor money.Minor) {
	t.count++
	t.minor += int64(minor)
}

func (t tally) in(currency money.Currency) money.Amount {
	return money.Of(money.Minor(t.minor), currency)
}

// reasonKey is what refunds are summed up by.
type reasonKey struct {
	reason   string
	currency money.Currency
	status   payment.RefundStatus
}

type reasonRow struct {
	reasonKey
	tally
}

// reasons sums up refunds by why.
var reasons = define("reasons",
	"How many refunds were asked for in the time, and what they come to, by reason, currency and status as it is now.", SpanRange,
	slices.Concat(
		[]column[reasonRow]{
			text("reason", "Why the money goes back, in the merchant's words. Empty: nobody said.", func(r reasonRow) string {
				return r.reason
			}),
			word("currency", "ISO 4217.", func(r reasonRow) money.Currency { return r.currency }),
			word("status", "As it is now.", func(r reasonRow) payment.RefundStatus { return r.status }),
			number("count", "How many.", func(r reasonRow) int64 { return r.count }),
		},
		amount("amount", "What they come to.", func(r reasonRow) money.Amount { return r.in(r.currency) }),
	),
	func(ctx context.Context, q question, each func(reasonRow) error) error {
		all := sums[reasonKey, tally]{}
		err := q.refunds(ctx, payment.RefundFilter{From: q.From, Until: q.last()}, func(page []payment.Refund) error {
			for _, r := range page {
				sum, err := all.of(reasonKey{r.Reason, r.Amount.Currency, r.Status})
				if err != nil {
					return err
				}
				sum.add(r.Amount.Minor)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return all.each(func(a, b reasonKey) int {
			return cmp.Or(cmp.Compare(a.reason, b.reason), cmp.Compare(a.currency, b.currency), cmp.Compare(a.status, b.status))
		}, func(key reasonKey, sum tally) error { return each(reasonRow{key, sum}) })
	})

// Day is a day in UTC.
const day = 24 * time.Hour

// ages are how old refunds on their way can be, the youngest first. Each has
// those that are younger than its end, and not in the one before.
var ages = []struct {
	name string
	end  time.Duration
}{
	{"under 1 hour", time.Hour},
	{"1 hour to 1 day", day},
	{"1 to 3 days", 3 * day},
	{"3 to 7 days", 7 * day},
	{"7 to 14 days", 14 * day},
	{"14 to 30 days", 30 * day},
	{"30 days or more", 1<<63 - 1},
}

func ageOf(r payment.Refund, now time.Time) int {
	age := r.Age(now)
	for i, bucket := range ages {
		if age < bucket.end {
			return i
		}
	}
	return len(ages) - 1
}

type ageKey struct {
	connector string
	currency  money.Currency
	age       int
}

type ageSum struct {
	tally

	oldest         payment.Refund
	stuck, reviews int64
}

type ageRow struct {
	ageKey
	ageSum
}

// running are the statuses in which a refund has no outcome.
var running = slices.DeleteFunc(slices.Clone(payment.RefundStatuses), func(s payment.RefundStatus) bool { return !s.IsRunning() })

// ageing sums up refunds on their way by how long they are.
var ageing = define("ageing", "Refunds that have no outcome now, by connector, currency and age.", SpanNone,
	slices.Concat(
		[]column[ageRow]{
			text("connector", "That carries them out.", func(r ageRow) string { return r.connector }),
			word("currency", "ISO 4217.", func(r ageRow) money.Currency { return r.currency }),
			word("age", "How long ago they were asked for.", func(r ageRow) string { return ages[r.age].name }),
			number("count", "How many.", func(r ageRow) int64 { return r.count }),
		},
		amount("amount", "What they come to.", func(r ageRow) money.Amount { return r.in(r.currency) }),
		[]column[ageRow]{
			moment("oldest_at", "When the oldest was asked for.", func(r ageRow) time.Time { return r.oldest.CreatedAt }),
			named("oldest", "Its id.", func(r ageRow) payment.RefundID { return r.oldest.ID }),
			number("stuck", "How many of them take longer than expected.", func(r ageRow) int64 { return r.stuck }),
			number("needs_review", "At how many of them a person must look.", func(r ageRow) int64 { return r.reviews }),
		},
	),
	func(ctx context.Context, q question, each func(ageRow) error) error {
		all := sums[ageKey, ageSum]{}
		err := q.refunds(ctx, payment.RefundFilter{Statuses: running}, func(page []payment.Refund) error {
			for _, r := range page {
				sum, err := all.of(ageKey{r.Connector, r.Amount.Currency, ageOf(r, q.Now)})
				if err != nil {
					return err
				}
				sum.see(r)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return all.each(func(a, b ageKey) int {
			return cmp.Or(cmp.Compare(a.connector, b.connector), cmp.Compare(a.currency, b.currency), cmp.Compare(a.age, b.age))
		}, func(key ageKey, sum ageSum) error { return each(ageRow{key, sum}) })
	})

func (s *ageSum) see(r payment.Refund) {
	s.add(r.Amount.Minor)
	if s.oldest.ID.IsZero() || r.CreatedAt.Before(s.oldest.CreatedAt) {
		s.oldest = r
	}
	if r.IsStuck() {
		s.stuck++
	}
	if r.NeedsReview() {
		s.reviews++
	}
}
