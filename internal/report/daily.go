package report

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

type dayKey struct {
	day      time.Time
	currency money.Currency
}

// daySum is what happened on a day in a currency.
type daySum struct {
	asked, succeeded, declined, failed, canceled, returned, chargebacks tally
}

type dayRow struct {
	dayKey
	daySum
}

// daily sums up days. It is read from the ledger, whose entries never change:
// the row of a day that is over stays as it is.
var daily = define("daily",
	"What happened on each day (UTC) of the time, in each currency: how many, and what they come to.", SpanRange,
	slices.Concat(
		[]column[dayRow]{
			word("day", "As in 2026-03-01.", func(r dayRow) string { return r.day.Format(time.DateOnly) }),
			word("currency", "ISO 4217.", func(r dayRow) money.Currency { return r.currency }),
		},
		tallied("asked", "refunds were asked for, or adopted.", func(r dayRow) tally { return r.asked }),
		tallied("succeeded", "refunds succeeded, or were adopted.", func(r dayRow) tally { return r.succeeded }),
		tallied("declined", "refunds were declined.", func(r dayRow) tally { return r.declined }),
		tallied("failed", "refunds failed.", func(r dayRow) tally { return r.failed }),
		tallied("canceled", "refunds were canceled.", func(r dayRow) tally { return r.canceled }),
		tallied("returned", "refunds came back after they had succeeded.", func(r dayRow) tally { return r.returned }),
		tallied("chargebacks", "disputes were opened that took something.", func(r dayRow) tally { return r.chargebacks }),
	),
	func(ctx context.Context, q question, each func(dayRow) error) error {
		all := sums[dayKey, daySum]{}
		err := q.entries(ctx, func(entry payment.BookedEntry) error {
			var minor money.Minor
			for _, posting := range entry.Postings {
				minor += posting.Amount.Minor
			}
			for _, counts := range countedBy[entry.Cause] {
				sum, err := all.of(dayKey{entry.At.UTC().Truncate(day), entry.Postings[0].Amount.Currency})
				if err != nil {
					return err
				}
				counts(sum).add(minor)
			}
			return nil
		})
		if err != nil {
			return err
		}
		return all.each(func(a, b dayKey) int {
			return cmp.Or(a.day.Compare(b.day), cmp.Compare(a.currency, b.currency))
		}, func(key dayKey, sum daySum) error { return each(dayRow{key, sum}) })
	})

// countedBy says which tallies an entry counts for. Every refund that comes to
// be, and every end of one, is an entry: it moves what was reserved.
var countedBy = map[ledger.Cause][]func(*daySum) *tally{
	ledger.Cause(payment.EventRefundCreated): {askedOf},
	ledger.Cause(payment.EventRefundAdopted): {askedOf, succeededOf},
	"refund.succeeded":                       {succeededOf},
	"refund.declined":                        {func(s *daySum) *tally { return &s.declined }},
	"refund.failed":                          {func(s *daySum) *tally { return &s.failed }},
	"refund.canceled":                        {func(s *daySum) *tally { return &s.canceled }},
	"refund.returned":                        {func(s *daySum) *tally { return &s.returned }},
	"dispute.open":                           {func(s *daySum) *tally { return &s.chargebacks }},
}

func askedOf(s *daySum) *tally     { return &s.asked }
func succeededOf(s *daySum) *tally { return &s.succeeded }

// tallied makes three columns of a tally.
func tallied(name, doc string, of func(dayRow) tally) []column[dayRow] {
	return append([]column[dayRow]{
		number(name+"_count", "How many "+doc, func(r dayRow) int64 { return of(r).count }),
	}, amount(name, "What they come to.", func(r dayRow) money.Amount { return of(r).in(r.currency) })...)
}
