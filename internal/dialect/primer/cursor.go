package primer

import (
	"strings"

	"github.com/refundry/refundry/internal/payment"
)

// cursor is the way to a page: the places behind which it and the pages before
// it begin. The first page begins at the beginning, which is none. Lists are
// read forward only: whoever goes back goes the way that they came.
type cursor struct{ way []payment.Place }

const (
	wayMax    = 32  // pages that one can go back; from there to the first
	beginning = "0" // the first page, for one who goes back to it
	between   = "."

	yearMin = 1970 // what a store can compare with
	yearMax = 9999
)

// read reads what [cursor.next] or [cursor.previous] wrote.
func (c *cursor) read(text string) bool {
	if text == beginning {
		return true
	}
	parts := strings.Split(text, between)
	if len(parts) > wayMax {
		return false
	}
	for _, part := range parts {
		place, ok := payment.ParsePlace(part)
		if !ok || part == "" || place.At.Year() < yearMin || place.At.Year() > yearMax {
			return false
		}
		c.way = append(c.way, place)
	}
	return true
}

// place returns behind which payment the page begins.
func (c *cursor) place() payment.Place {
	if len(c.way) == 0 {
		return payment.Place{}
	}
	return c.way[len(c.way)-1]
}

// next returns the cursor of the page that begins behind a place.
func (c *cursor) next(at payment.Place) string {
	way := append(c.way[:len(c.way):len(c.way)], at)
	return spell(way[max(0, len(way)-wayMax):])
}

// previous returns the cursor of the page before, nothing for the first page.
func (c *cursor) previous() string {
	switch len(c.way) {
	case 0:
		return ""
	case 1:
		return beginning
	}
	return spell(c.way[:len(c.way)-1])
}

func spell(way []payment.Place) string {
	parts := make([]string, len(way))
	for i, place := range way {
		parts[i] = place.String()
	}
	return strings.Join(parts, between)
}
