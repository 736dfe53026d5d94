package smartglocal

import (
	"crypto/rsa"
	"net/http"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

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

// ReadPayment reads a payment. It returns what of it is kept, or what is wrong.
func ReadPayment(brand Brand, raw []byte) (amount money.Amount, kept []byte, said error) {
	body, err := parseBody(raw)
	if err != nil {
		return money.Amount{}, nil, err
	}
	asked, wrong := (&call{brand: brand, body: body}).readPayment()
	if wrong != nil {
		return money.Amount{}, nil, wrong
	}
	asked.document.Metadata = wire.RawJSON(asked.metadata)
	asked.document.Card = asked.card
	return asked.amount, asked.document.bytes(), nil
}

// ReadRefund reads what a refund asks for, and with which metadata.
func ReadRefund(brand Brand, raw []byte) (command payment.OpenRefund, said error) {
	body, err := parseBody(raw)
	if err != nil {
		return command, err
	}
	c := &call{brand: brand, body: body, tenant: &payment.Tenant{}}
	metadata, wrong := readMetadata(body.Get("metadata"))
	if wrong != nil {
		return command, wrong
	}
	command.Metadata = metadata
	if wrong := c.ask(&command); wrong != nil {
		said = wrong
	}
	return command, said
}

// Verify reports whether a signature is of a body and of one of some keys.
func Verify(keys []*rsa.PublicKey, body []byte, signature string) bool {
	return (&project{keys: keys}).verify(body, signature)
}

// ReadKey reports whether a header's values are a key, or none.
func ReadKey(values []string) (payment.Key, error) {
	c := &call{brand: Pike, tenant: &payment.Tenant{}}
	err := (&Door{}).readKey(c, http.Header{headerKey: values})
	return c.key, err
}
