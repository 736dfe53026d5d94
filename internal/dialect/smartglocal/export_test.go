package smartglocal

import "github.com/refundry/refundry/internal/wire"

// RenderError returns the status and the body that an error is answered with.
func RenderError(err error) (int, []byte) {
	said := wordOf(err)
	return said.status, wire.Encode(answer{Status: "error", Error: &problem{said.code, said.description}})
}

// HasRule reports whether a rule has a word.
func HasRule[R ~string](rule R) bool {
	for name := range rules {
		if string(name) == string(rule) {
			return true
		}
	}
	return false
}

// Words returns how many words there are for statuses of payments and refunds,
// and for faults.
func Words() (payments, refunds, codes int) { return len(paymentWords), len(refundWords), len(faults) }
