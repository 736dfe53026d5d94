package api

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// part is a part of a list, as one request reads it.
type part[T any] struct {
	rows    []T
	next    string // the place behind the last row; empty: before the first of all
	hasMore bool
}

// partOf returns the rows that a request may have, of which one more than that
// was read if there are more.
func partOf[T any](r *http.Request, rows []T, limit int, place func(T) string) part[T] {
	p := part[T]{rows: rows[:min(limit, len(rows))], next: r.URL.Query().Get("after"), hasMore: len(rows) > limit}
	if last := len(p.rows) - 1; last >= 0 {
		p.next = place(p.rows[last])
	}
	return p
}

// write answers with the part, and with what more there is to say.
func (p part[T]) write(w http.ResponseWriter, name string, show func(*writer, T), more ...func(*writer)) {
	to := newWriter()
	to.begin("")
	to.beginList(name)
	for _, row := range p.rows {
		show(to, row)
	}
	to.endList()
	showNext(to, true, p.next, p.hasMore)
	for _, say := range more {
		say(to)
	}
	to.end()
	write(w, http.StatusOK, false, to.text)
}

// showNext says how to go on in a list; there is no place before its beginning.
func showNext(w *writer, hasPlace bool, place string, hasMore bool) {
	if !hasPlace {
		place = ""
	}
	w.string("next", place)
	w.flag("has_more", hasMore)
}

// filters reads the parameters of a list. The first that is wrong is kept.
type filters struct {
	query url.Values
	err   error
}

func (q *filters) wrong(name, detail string) {
	if q.err == nil {
		q.err = wrongParameter(name, detail)
	}
}

// text reads a text that something may be called.
func (q *filters) text(name string) string {
	text := q.query.Get(name)
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) || utf8.RuneCountInString(text) > nameMax {
		q.wrong(name, "must have at most "+strconv.Itoa(nameMax)+" letters")
	}
	return text
}

// word reads one of a few words; empty if it is absent.
func (q *filters) word(name string, words ...string) string {
	text := q.query.Get(name)
	if text != "" && !slices.Contains(words, text) {
		q.wrong(name, "must be one of "+strings.Join(words, ", "))
	}
	return text
}

// words reads some of a few words, each from a parameter of its own.
func (q *filters) words(name string, words []string) []string {
	given := q.query[name]
	for _, text := range given {
		if !slices.Contains(words, text) {
			q.wrong(name, "must be one of "+strings.Join(words, ", "))
		}
	}
	if len(given) > len(words) {
		q.wrong(name, "must be named at most "+strconv.Itoa(len(words))+" times")
	}
	return given
}

// doors names every front door, our own among them.
func (a *API) doors() []string { return append(wordsOf(a.config.Doors...), string(payment.DoorAPI)) }

func (q *filters) currency(name string) money.Currency {
	text := q.query.Get(name)
	if text == "" {
		return ""
	}
	code, err := money.ParseCurrency(text)
	if err != nil || string(code) != text {
		q.wrong(name, "must be an ISO 4217 code in upper case")
	}
	return code
}

func (q *filters) amount(name string) money.Minor {
	text := q.query.Get(name)
	if text == "" {
		return 0
	}
	number, ok := parseWhole(text, 1, int64(money.Max))
	if !ok {
		q.wrong(name, "must be a whole number from 1 to "+strconv.FormatInt(int64(money.Max), 10))
	}
	return money.Minor(number)
}

func (q *filters) time(name string) time.Time {
	at, err := timeParameter(q.query, name)
	if q.err == nil {
		q.err = err
	}
	return at
}

// page reads which part of a list is wanted.
func (q *filters) page(from, until *time.Time, after *payment.Place, limit *int, byDefault, most int) {
	*from, *until = q.time("from"), q.time("until")
	var ok bool
	if *after, ok = payment.ParsePlace(q.query.Get("after")); !ok {
		q.wrong("after", "must be the next of an earlier answer")
	}
	*limit = q.limit(byDefault, most)
}

// limit reads how many rows a page may have.
func (q *filters) limit(byDefault, most int) int {
	limit, err := limitOf(q.query.Get("limit"), byDefault, most)
	if q.err == nil {
		q.err = err
	}
	return limit
}

// parseWhole reads a whole number of the query, spelled as JSON spells it.
func parseWhole(text string, least, most int64) (int64, bool) {
	number, err := strconv.ParseInt(text, 10, 64)
	if err != nil || number < least || number > most || strconv.FormatInt(number, 10) != text {
		return 0, false
	}
	return number, true
}

// parseParameter reads an id of the query, and reports whether it is one, or
// absent. The zero id names nothing: it would narrow nothing.
func parseParameter[K id.Kind](query url.Values, name string, to *id.ID[K]) bool {
	text := query.Get(name)
	return text == "" || to.Parse(text) == nil && !to.IsZero()
}

var wrongPlace = wrongParameter("after", "must be the next of an earlier answer")

// latest is behind any time that a store keeps.
var latest = time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC)

// timeParameter reads a time of the query; zero if it is absent.
func timeParameter(query url.Values, name string) (time.Time, error) {
	text := query.Get(name)
	if text == "" {
		return time.Time{}, nil
	}
	at, err := parseTime(text)
	if err != nil || at.Before(earliest) || at.After(latest) {
		return time.Time{}, wrongParameter(name, "must be a time as in 2026-03-01T12:00:00Z (RFC 3339)")
	}
	return at.UTC(), nil
}
