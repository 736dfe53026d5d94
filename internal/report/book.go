package report

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// postingRow is a posting with the entry that it belongs to.
type postingRow struct {
	ledger.Posting

	entry  payment.BookedEntry
	number int64
}

// is reports whether the entry is about a thing that its cause names.
func (p postingRow) is(noun string) bool { return strings.HasPrefix(string(p.entry.Cause), noun+".") }

// postings has a row for each posting.
var postings = define("ledger", "A row for each posting of the time, in the order in which they were committed.", SpanRange,
	slices.Concat(
		[]column[postingRow]{
			moment("at", "When it happened.", func(p postingRow) time.Time { return p.entry.At }),
			word("cause", "The business event.", func(p postingRow) ledger.Cause { return p.entry.Cause }),
			named("payment", "That it is about.", func(p postingRow) payment.PaymentID { return p.entry.Payment }),
			named("refund", "That moved.", func(p postingRow) (id payment.RefundID) {
				if p.is("refund") {
					id = p.entry.Subject
				}
				return id
			}),
			named("dispute", "That moved.", func(p postingRow) (id payment.DisputeID) {
				if p.is("dispute") {
					id = p.entry.Subject
				}
				return id
			}),
			number("version", "Of the payment. With the thing that moved it names the entry.", func(p postingRow) int64 {
				return p.entry.Version
			}),
			number("number", "Of the posting in its entry: 1, 2, …", func(p postingRow) int64 { return p.number }),
			text("debit", "The account that receives.", func(p postingRow) string { return string(p.Debit) }),
			text("credit", "The account that gives.", func(p postingRow) string { return string(p.Credit) }),
		},
		amount("amount", "How much.", func(p postingRow) money.Amount { return p.Amount }),
		[]column[postingRow]{
			word("currency", "ISO 4217.", func(p postingRow) money.Currency { return p.Amount.Currency }),
		},
	),
	func(ctx context.Context, q question, each func(postingRow) error) error {
		return q.entries(ctx, func(entry payment.BookedEntry) error {
			for n, posting := range entry.Postings {
				if err := each(postingRow{posting, entry, int64(n) + 1}); err != nil {
					return err
				}
			}
			return nil
		})
	})

// entries reads the entries of the time, page after page.
func (q question) entries(ctx context.Context, each func(payment.BookedEntry) error) error {
	filter := payment.EntryFilter{From: q.From, Until: q.last(), Limit: pageRows}
	return pages(ctx, func() ([]payment.BookedEntry, error) {
		return q.reader.ListEntries(ctx, q.Tenant, filter)
	}, func(last payment.BookedEntry) { filter.After = last.Place() }, func(page []payment.BookedEntry) error {
		for _, entry := range page {
			if err := each(entry); err != nil {
				return err
			}
		}
		return nil
	})
}

// balanceRow is what rests in an account.
type balanceRow struct {
	account ledger.Account
	rests   money.Amount
}

// balances has a row for each account and currency.
var balances = define("balances",
	"The trial balance: debits minus credits of every account, of what had happened before `to`.", SpanEnd,
	slices.Concat(
		[]column[balanceRow]{
			text("account", "Its name.", func(b balanceRow) string { return string(b.account) }),
			word("kind", "What the account is for.", func(b balanceRow) ledger.AccountKind { return b.account.Kind() }),
			word("normal_side", "Where its balance usually is: above zero for debit, below for credit.",
				func(b balanceRow) ledger.Side { return b.account.Kind().Normal() }),
			word("currency", "ISO 4217.", func(b balanceRow) money.Currency { return b.rests.Currency }),
		},
		amount("balance", "What rests there. A currency adds up to 0.", func(b balanceRow) money.Amount { return b.rests }),
	),
	func(ctx context.Context, q question, each func(balanceRow) error) error {
		sums, err := q.reader.Balances(ctx, q.Tenant, q.last())
		if err != nil {
			return err
		}
		var rows []balanceRow
		for account, currencies := range sums {
			for currency, minor := range currencies {
				rows = append(rows, balanceRow{account, money.Of(minor, currency)})
			}
		}
		slices.SortFunc(rows, func(a, b balanceRow) int {
			return cmp.Or(cmp.Compare(a.account, b.account), cmp.Compare(a.rests.Currency, b.rests.Currency))
		})
		for _, row := range rows {
			if err := each(row); err != nil {
				return err
			}
		}
		return nil
	})
