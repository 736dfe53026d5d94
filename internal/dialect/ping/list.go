package ping

import (
	"encoding/base64"
	"encoding/binary"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// How long lists are.
const (
	limitMax     = 200
	limitDefault = 100
	arrayMax     = 1000  // of a list without pages
	readMax      = 200   // read from the store at a time
	lookMax      = 10000 // looked at for one answer: a filter that fits little must not read everything
	backMax      = 40    // pages that a cursor remembers to go back to
)

// list is what a list call asks for.
type list struct {
	call   *call
	limit  int
	isPage bool
	after  []mark // where each page began up to this one, the first one's beginning left out
}

// mark is a place in a list: behind a thing, and behind the first so many rows
// of the next one.
type mark struct {
	place payment.Place
	rows  uint16
}

const markBytes = 8 + 16 + 2

// shownList is a page.
type shownList struct {
	Data  []any      `json:"data"`
	Links shownLinks `json:"_links"`
}

type shownLinks struct {
	First    shownLink `json:"first"`
	Current  shownLink `json:"current"`
	Next     shownLink `json:"next"`
	Previous shownLink `json:"previous"`
}

// shownLink leads to a page; null: there is no such page.
type shownLink struct {
	HRef *string `json:"href"`
}

// readList reads how much of a list is asked for, and in which shape.
func (c *call) readList() list {
	l := list{call: c, limit: limitDefault, isPage: c.isPaged}
	if !c.isPaged {
		switch settingLegacyLists.Of(c.tenant.Settings) {
		case legacyPage:
			l.isPage = true
		case legacyReject:
			c.wrong(invalidValue, headerVersion, "2025-03-06 or a later version expected")
		}
	}
	if !l.isPage {
		l.limit = arrayMax
	}
	if text := c.query.Get("limit"); text != "" {
		limit, err := strconv.Atoi(text)
		if err != nil || limit < 1 || limit > limitMax {
			c.wrong(outOfRange, "limit", "1 to 200 expected")
		}
		l.limit = limit
	}
	var ok bool
	if l.after, ok = parseMarks(c.query.Get("cursor")); !ok {
		c.wrong(invalidValue, "cursor", "a cursor of ours expected")
	}
	return l
}

// source is where the rows of a list come from.
type source[T any] struct {
	read  func(after payment.Place, limit int) ([]T, error) // the newest first
	place func(T) payment.Place
	show  func(T) ([]any, error) // none: it is not asked for
}

// gather reads on until the list is as long as was asked for.
func gather[T any](l list, from source[T]) (any, error) {
	var at mark
	if len(l.after) > 0 {
		at = l.after[len(l.after)-1]
	}
	found := []any{}
	for looked := 0; looked < lookMax; {
		things, err := from.read(at.place, readMax)
		if err != nil {
			return nil, err
		}
		for _, thing := range things {
			rows, err := from.show(thing)
			if err != nil {
				return nil, err
			}
			for at.rows = min(at.rows, uint16(len(rows))); int(at.rows) < len(rows); at.rows++ {
				if len(found) == l.limit {
					return l.show(found, &at), nil
				}
				found = append(found, rows[at.rows])
			}
			at = mark{place: from.place(thing)}
		}
		if len(things) < readMax {
			return l.show(found, nil), nil
		}
		looked += len(things)
	}
	return l.show(found, &at), nil
}

// show renders a list. next is where the next page begins; nil: there is none.
func (l list) show(found []any, next *mark) any {
	if !l.isPage {
		return found
	}
	shown := shownList{Data: found, Links: shownLinks{First: l.link(nil), Current: l.link(l.after)}}
	if next != nil {
		begun := append(l.after[:len(l.after):len(l.after)], *next)
		shown.Links.Next = l.link(begun[max(0, len(begun)-backMax):])
	}
	if before := len(l.after) - 1; before >= 0 {
		shown.Links.Previous = l.link(l.after[:before])
	}
	return shown
}

// link returns the address of the page that begins where a cursor says, with
// the filters as they were given.
func (l list) link(marks []mark) shownLink {
	var query []string
	for part := range strings.SplitSeq(l.call.request.URL.RawQuery, "&") {
		if part != "" && !strings.HasPrefix(part, "cursor=") {
			query = append(query, part)
		}
	}
	if len(marks) > 0 {
		query = append(query, "cursor="+cursor(marks))
	}
	path := l.call.request.URL.Path
	if sent, err := url.ParseRequestURI(l.call.request.RequestURI); err == nil {
		path = sent.Path // it may have more in front than what the door sees
	}
	address := origin(l.call.request) + path
	if len(query) > 0 {
		address += "?" + strings.Join(query, "&")
	}
	return shownLink{&address}
}

// cursor spells marks so that nobody reads anything into them.
func cursor(marks []mark) string {
	raw := make([]byte, 0, len(marks)*markBytes)
	for _, m := range marks {
		var micros int64
		if !m.place.At.IsZero() {
			micros = m.place.At.UnixMicro()
		}
		raw = binary.BigEndian.AppendUint64(raw, uint64(micros))
		raw = append(raw, m.place.ID[:]...)
		raw = binary.BigEndian.AppendUint16(raw, m.rows)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseMarks reads what cursor wrote; nothing is the beginning.
func parseMarks(text string) ([]mark, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw)%markBytes != 0 || len(raw) > backMax*markBytes {
		return nil, false
	}
	var marks []mark
	for ; len(raw) > 0; raw = raw[markBytes:] {
		m := mark{place: payment.Place{ID: [16]byte(raw[8:24])}, rows: binary.BigEndian.Uint16(raw[24:])}
		if micros := binary.BigEndian.Uint64(raw); micros != 0 {
			m.place.At = time.UnixMicro(int64(micros)).UTC()
		}
		marks = append(marks, m)
	}
	return marks, cursor(marks) == text // Base64 passes over the ends of lines, and bits to spare
}

// queryWord reads one of several words of a query; empty: it does not matter.
func (c *call) queryWord(name string, words []string) string {
	text := c.query.Get(name)
	if text != "" && !isKnown(words, text) {
		c.wrong(invalidValue, name, "unknown "+name)
	}
	return text
}

// queryBool reads yes or no of a query, in any case, and whether there is one.
func (c *call) queryBool(name string) (yes, isGiven bool) {
	switch strings.ToLower(c.query.Get(name)) {
	case "":
		return false, false
	case "true", "1":
		return true, true
	case "false", "0":
		return false, true
	}
	c.wrong(invalidValue, name, "true or false expected")
	return false, false
}

// queryID reads an id of a query; the zero id: it does not matter, so that
// nobody may ask for it.
func (c *call) queryID(name string) (id payment.ResourceID) {
	if text := c.query.Get(name); text != "" && (id.ParseUUID(text) != nil || id.IsZero()) {
		c.wrong(invalidValue, name, "UUID expected")
	}
	return id
}

// ceil returns the first microsecond that is not before a time.
func ceil(at time.Time) time.Time {
	if at.Nanosecond()%1000 == 0 {
		return at
	}
	return at.Truncate(time.Microsecond).Add(time.Microsecond)
}

// listOrders lists the orders that were made here.
func (d *Door) listOrders(c *call) (any, error) {
	l := c.readList()
	filter := payment.OrderFilter{Home: Name}
	for _, name := range []string{"created_at_from", "from"} {
		if text := c.query.Get(name); text != "" {
			filter.From = ceil(c.time(text, name))
		}
	}
	for _, name := range []string{"created_at_to", "to"} {
		if text := c.query.Get(name); text != "" {
			filter.Until = c.time(text, name).Truncate(time.Microsecond)
		}
	}
	if word := c.queryWord("status", []string{"OPEN", "CLOSED", "SPLIT", "SETTLED"}); word != "" {
		for status, called := range orderWords {
			if called == word {
				filter.Statuses = append(filter.Statuses, status)
			}
		}
	}
	if err := c.err(); err != nil {
		return nil, err
	}
	return gather(l, source[payment.OrderView]{
		read: func(after payment.Place, limit int) ([]payment.OrderView, error) {
			filter.After, filter.Limit = after, limit
			return d.config.Reader.Orders(c.ctx, c.tenant.ID, filter)
		},
		place: func(view payment.OrderView) payment.Place { return view.Order.Place() },
		show: func(view payment.OrderView) ([]any, error) {
			return []any{c.shower().order(view.Order, view.Facets)}, nil
		},
	})
}
