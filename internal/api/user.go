package api

import (
	"errors"
	"net/http"

	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/wire"
)

var userParameter = openapi.Parameter{
	Component: "User", Name: wire.HeaderUser, In: "header", Example: "anna@shop.example",
	Doc: "The person on whose behalf you call: 1 to 255 visible ASCII characters. The audit trail keeps it. Policies count " +
		"by person, and who has asked for a refund cannot approve it, whichever key they use.",
	Schema: &openapi.Schema{Type: openapi.String, LengthMin: 1, LengthMax: wire.UserMax, Pattern: "^[!-~]+$"},
}

// userOf returns the person on whose behalf a request is made; empty: nobody
// is named.
func userOf(r *http.Request) (string, error) {
	user, err := wire.User(r.Header)
	switch {
	case errors.Is(err, wire.ErrUserCardNumber):
		return "", &problem{code: codeCardNumber, detail: err.Error()}
	case err != nil:
		return "", &problem{code: codeInvalid, detail: err.Error()}
	}
	return user, nil
}
