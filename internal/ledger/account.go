package ledger

import "strings"

// Account is a place where value rests, as in "merchant:m_1:payable". Each
// tenant has its own, one per currency.
type Account string

// The accounts of one tenant. A processor's accounts belong to a connector:
// one tenant's configured use of that processor.
const (
	// InFlight holds what refunds on their way have laid claim to.
	InFlight Account = "refunds:in_flight"
	// Disputed holds what open disputes have taken.
	Disputed Account = "disputes:held"
)

const (
	ofProcessor = "processor:"
	ofMerchant  = "merchant:"
	receivable  = ":receivable"
	bank        = ":bank"
	payable     = ":payable"
	allocated   = ":allocated"
)

// Receivable is what a processor owes us for captured money.
func Receivable(connector string) Account { return Account(ofProcessor + connector + receivable) }

// Bank is what a processor has settled to us.
func Bank(connector string) Account { return Account(ofProcessor + connector + bank) }

// Payable is what we owe a merchant.
func Payable(merchant string) Account { return Account(ofMerchant + merchant + payable) }

// Allocated is what a split has set aside for a merchant.
func Allocated(merchant string) Account { return Account(ofMerchant + merchant + allocated) }

// IsMerchants reports whether an account is one of a merchant's.
func (a Account) IsMerchants() bool { return strings.HasPrefix(string(a), ofMerchant) }

// Side is one of the two sides of a posting.
type Side string

// The sides.
const (
	Debit  Side = "debit"  // receives
	Credit Side = "credit" // gives
)

// AccountKind is what an account is for.
type AccountKind string

// The kinds of account.
const (
	KindReceivable AccountKind = "processor_receivable"
	KindBank       AccountKind = "processor_bank"
	KindPayable    AccountKind = "merchant_payable"
	KindAllocated  AccountKind = "merchant_allocated"
	KindInFlight   AccountKind = "refunds_in_flight"
	KindDisputed   AccountKind = "disputes_held"
)

// AccountKinds lists every kind.
var AccountKinds = []AccountKind{
	KindReceivable, KindBank, KindPayable, KindAllocated, KindInFlight, KindDisputed,
}

// Kind returns what the account is for.
func (a Account) Kind() AccountKind {
	name := string(a)
	switch {
	case a == InFlight:
		return KindInFlight
	case a == Disputed:
		return KindDisputed
	case a.IsMerchants() && strings.HasSuffix(name, allocated):
		return KindAllocated
	case a.IsMerchants():
		return KindPayable
	case strings.HasSuffix(name, bank):
		return KindBank
	default:
		return KindReceivable
	}
}

// Normal returns the side on which the account's balance usually is: what we
// have, or are owed, is on the debit side; what we owe is on the credit side.
func (k AccountKind) Normal() Side {
	if k == KindReceivable || k == KindBank {
		return Debit
	}
	return Credit
}

// String returns what accounts of the kind are for, in words.
func (k AccountKind) String() string {
	switch k {
	case KindReceivable:
		return "What a processor owes us for captured money."
	case KindBank:
		return "What a processor has settled to us, less what was paid out of it."
	case KindPayable:
		return "What we owe a merchant."
	case KindAllocated:
		return "What the split of an order has set aside for a merchant."
	case KindInFlight:
		return "What refunds on their way have laid claim to."
	case KindDisputed:
		return "What open disputes have taken."
	default:
		return "Of no known kind."
	}
}
