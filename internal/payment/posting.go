package payment

import (
	"github.com/refundry/refundry/internal/ledger"
	"github.com/refundry/refundry/internal/money"
)

// effectPostings returns what a change of effect moves in the books. "a → b"
// debits a and credits b; each merchant's part is its own posting.
//
//	reserved   payable   → in flight
//	succeeded  in flight → receivable
//	ended      in flight → payable
//	adopted    payable   → receivable
//	returned   receivable → payable
func effectPostings(p Payment, r Refund, from, to Effect) []ledger.Posting {
	if from == to {
		return nil
	}
	var postings []ledger.Posting
	for _, part := range shares(p, r.Amount.Minor, r.Lines) {
		account := func(effect Effect) ledger.Account {
			switch effect {
			case EffectReserved:
				return ledger.InFlight
			case EffectRefunded:
				return ledger.Receivable(p.Connector)
			case EffectNone:
				return ledger.Payable(part.merchant)
			default:
				panic("payment: unknown effect")
			}
		}
		postings = append(postings, ledger.Posting{
			Debit: account(from), Credit: account(to), Amount: money.Of(part.minor, r.Amount.Currency),
		})
	}
	return postings
}

// merchantPostings moves an amount of the whole payment between each
// merchant's payable account and another. It is shared among merchants as the
// line items are, after earlier amounts were.
func merchantPostings(v View, earlier []money.Minor, amount money.Minor,
	post func(payable ledger.Account, part money.Amount) ledger.Posting,
) []ledger.Posting {
	p := v.Payment
	var postings []ledger.Posting
	for _, part := range shares(p, amount, wholeLines(v.Current(), earlier, amount)) {
		if part.minor > 0 {
			postings = append(postings, post(ledger.Payable(part.merchant), money.Of(part.minor, p.Amount.Currency)))
		}
	}
	return postings
}
