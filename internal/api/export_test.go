package api

import (
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// CodeOfRule returns the code of a rule's no, and whether it is described.
func CodeOfRule(rule payment.RuleName) (name string, status int, described bool) {
	code := ruleCodes[rule]
	facts, described := problems[code]
	return string(code), facts.status, described && facts.title != "" && facts.advice != ""
}

// CodeOfFault returns the code of a failure that is no rule's.
func CodeOfFault(fault fault.Code) (name string, status int, described bool) {
	code := faultCodes[fault]
	facts, described := problems[code]
	return string(code), facts.status, described && facts.title != "" && facts.advice != ""
}

// Codes returns every code.
func Codes() []string {
	codes := make([]string, 0, len(problems))
	for code := range problems {
		codes = append(codes, string(code))
	}
	return codes
}
