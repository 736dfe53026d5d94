package wire

import (
	"errors"
	"net/http"
)

// HeaderUser is where a key names the person on whose behalf it calls.
const HeaderUser = "Refundry-User"

// UserMax is how long a person's name or id may be.
const UserMax = 255

// What [User] says of a header that names nobody who can be known again.
var (
	ErrUser           = errors.New("the header " + HeaderUser + " has 1 to 255 visible ASCII characters, and is sent once")
	ErrUserCardNumber = errors.New("the header " + HeaderUser + " looks like a card number")
)

// User returns the person on whose behalf a request is made; empty: nobody is
// named.
func User(header http.Header) (string, error) {
	values := header[HeaderUser]
	switch {
	case len(values) == 0:
		return "", nil
	case len(values) > 1 || !IsVisible(values[0], UserMax):
		return "", ErrUser
	case HasCardNumber(values[0]):
		return "", ErrUserCardNumber
	default:
		return values[0], nil
	}
}
