package api

import (
	"slices"
	"strings"
)

// scope is what a key may do.
type scope string

// The scopes that operations need. A key without any has all of them.
const (
	scopeReadPayments    scope = "payments:read"
	scopeWritePayments   scope = "payments:write"
	scopeErasePayments   scope = "payments:erase"
	scopeReadRefunds     scope = "refunds:read"
	scopeWriteRefunds    scope = "refunds:write"
	scopeApproveRefunds  scope = "refunds:approve"
	scopeReadDisputes    scope = "disputes:read"
	scopeReadEvents      scope = "events:read"
	scopeReadLedger      scope = "ledger:read"
	scopeReadReports     scope = "reports:read"
	scopeReadEndpoints   scope = "endpoints:read"
	scopeWriteEndpoints  scope = "endpoints:write"
	scopeReadDeliveries  scope = "deliveries:read"
	scopeWriteDeliveries scope = "deliveries:write"
	scopeReadAudit       scope = "audit:read"
)

// allScopes lists every scope.
var allScopes = []scope{
	scopeReadPayments, scopeWritePayments, scopeErasePayments, scopeReadRefunds, scopeWriteRefunds, scopeApproveRefunds,
	scopeReadDisputes, scopeReadEvents, scopeReadLedger, scopeReadReports, scopeReadEndpoints, scopeWriteEndpoints,
	scopeReadDeliveries, scopeWriteDeliveries, scopeReadAudit,
}

// Scopes lists every scope, in words.
func Scopes() []string { return wordsOf(allScopes...) }

// scopes are what a key may do, with spaces between them, as the public part
// of its credential has them.
type scopes string

// allow reports whether the scopes are enough.
func (s scopes) allow(needed scope) bool {
	if s == "" || needed == "" {
		return true
	}
	for has := range strings.FieldsSeq(string(s)) {
		if has == string(needed) {
			return true
		}
	}
	return false
}

// scopes reads the scopes of a key that is made. A list without any is a slip:
// it must not make a key that may do everything.
func (o object) scopes(name string) scopes {
	words := o.texts(name, len(allScopes))
	if o.value.Get(name).IsGiven() && len(words) == 0 {
		o.wrong(name, "must name at least one scope, or be absent for all of them")
	}
	for _, word := range words {
		if !slices.Contains(allScopes, scope(word)) {
			o.wrong(name, "must be a list of "+strings.Join(wordsOf(allScopes...), ", "))
			return ""
		}
	}
	return scopes(strings.Join(words, " "))
}
