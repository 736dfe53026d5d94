package api

import (
	"net/http"

	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

// userHeader is where a key names the person on whose behalf it calls.
const userHeader = "Refundry-User"

// userMax is how long a person's name or id may be.
const userMax = 255

var userParameter = openapi.Parameter{
	Component: "User", Name: userHeader, In: "header", Example: "anna@shop.example",
	Doc: "The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count " +
		"by person, and who has asked for a refund cannot approve it, whichever key they use.",
	Schema: &openapi.Schema{Type: openapi.String, LengthMin: 1, LengthMax: userMax, Pattern: "^[!-~]+$"},
}

// userOf returns the person on whose behalf a request is made; empty: nobody
// is named.
func userOf(r *http.Request) (string, error) {
	values := r.Header[userHeader]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1 || !wire.IsVisible(values[0], userMax):
		return "", &problem{
			code: codeInvalid, detail: "the header " + userHeader + " has 1 to 255 visible ASCII characters, and is sent once",
		}
	case wire.HasCardNumber(values[0]):
		return "", &problem{code: codeCardNumber, detail: "the header " + userHeader + " looks like a card number"}
	default:
		return values[0], nil
	}
}
