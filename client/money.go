package client

// Money is a whole number of a currency's minor units: EUR 12.34 is {1234,
// "EUR"} and JPY 500 is {500, "JPY"}. It never is a fraction.
type Money struct {
	Minor    int64  `json:"amount"`
	Currency string `json:"currency"` // ISO 4217
}

// Amount returns money for a request that may do without.
func Amount(minor int64, currency string) *Money { return &Money{Minor: minor, Currency: currency} }
