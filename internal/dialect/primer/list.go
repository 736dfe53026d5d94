package primer

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/money"
	"github.com/refundry/refundry/internal/payment"
)

// page is a page of payments. A cursor is left out where there is nothing behind it.
type page struct {
	Data       []summary `json:"data"`
	NextCursor string    `json:"nextCursor,omitempty"`
	PrevCursor string    `json:"prevCursor,omitempty"`
}

// summary is a payment in a list: without its transactions and sums.
type summary struct {
	ID           string           `json:"id"`
	Date         string           `json:"date"`
	DateUpdated  string           `json:"dateUpdated"`
	Status       string           `json:"status"`
	OrderID      string           `json:"orderId"`
	CurrencyCode money.Currency   `json:"currencyCode"`
	Amount       money.Minor      `json:"amount"`
	Processor    summaryProcessor `json:"processor"`
	Metadata     json.RawMessage  `json:"metadata"`
}

type summaryProcessor struct {
	Name       string `json:"name"`
	MerchantID string `json:"processorMerchantId"`
}

const (
	pageMax   = 100
	readMax   = 200    // payments that are read at a time
	lookMax   = 10_000 // payments that are looked at for one page; a longer search goes on at the next
	listParts = payment.PartCaptures | payment.PartFacets
)

// list shows payments, the newest first. Filters look at what is shown; what
// the store can do of them it does.
func (d *Door) list(c *call) (any, error) {
	wanted, err := c.readFilter()
	if err != nil {
		return nil, err
	}
	shown := page{Data: []summary{}, PrevCursor: wanted.cursor.previous()}
	at, atATime := wanted.cursor.place(), wanted.atATime()
	for looked := 0; looked < lookMax; looked += atATime {
		views, err := d.config.Reader.Payments(c.ctx, c.tenant.ID, payment.PaymentFilter{
			Statuses: wanted.domain, From: wanted.from, Until: wanted.until, After: at, Limit: atATime, Parts: listParts,
		})
		if err != nil {
			return nil, err
		}
		for _, view := range views {
			if wanted.fits(view) {
				if len(shown.Data) == wanted.limit {
					shown.NextCursor = wanted.cursor.next(at)
					return shown, nil
				}
				shown.Data = append(shown.Data, summaryOf(view))
			}
			at = view.Payment.Place()
		}
		if len(views) < atATime {
			return shown, nil
		}
	}
	shown.NextCursor = wanted.cursor.next(at)
	return shown, nil
}

// atATime returns how many payments are read at a time: no more than are shown,
// and one to know that there are more, where all fit.
func (w *filter) atATime() int {
	if len(w.texts) == 0 && !w.hasOrderID && w.least == 0 && w.most == money.Max {
		return w.limit + 1
	}
	return readMax
}

func summaryOf(v payment.View) summary {
	p, doc := v.Payment, documentOf(v)
	at := accountOf(p, doc)
	return summary{
		ID: idOf(p, doc), Date: shownTime(p.CreatedAt), DateUpdated: shownTime(p.UpdatedAt), Status: statusOf(v),
		OrderID: orderIDOf(p, doc), CurrencyCode: p.Amount.Currency, Amount: p.Amount.Minor,
		Processor: summaryProcessor{at.Name, at.ID}, Metadata: shownMetadata(p.Metadata, doc.added),
	}
}

// filter is what a caller wants to see of a list.
type filter struct {
	texts       map[string][]string // by the name of a query; one of the list must be true
	domain      []payment.PaymentStatus
	from, until time.Time
	least, most money.Minor
	orderID     string
	hasOrderID  bool
	limit       int
	cursor      cursor
}

// textFilters says what each filter that is a list looks at.
var textFilters = map[string]func(payment.View, document) string{
	"status":                 func(v payment.View, _ document) string { return statusOf(v) },
	"payment_method_type":    func(v payment.View, doc document) string { return methodType(v.Payment, doc) },
	"processor":              func(v payment.View, doc document) string { return accountOf(v.Payment, doc).Name },
	"merchant_id":            func(v payment.View, doc document) string { return accountOf(v.Payment, doc).ID },
	"currency_code":          func(v payment.View, _ document) string { return string(v.Payment.Amount.Currency) },
	"customer_id":            func(v payment.View, _ document) string { return v.Payment.Payer },
	"last_4_digits":          func(v payment.View, _ document) string { return v.Payment.Method.Last4 },
	"customer_email_address": func(_ payment.View, doc document) string { return doc.email() },
	"paypal_email":           func(v payment.View, doc document) string { return emailAt("PAYPAL", v, doc) },
	"klarna_email":           func(v payment.View, doc document) string { return emailAt("KLARNA", v, doc) },
}

func (d document) email() string {
	text, _ := memberText(d.Customer, "emailAddress")
	return text
}

// emailAt returns the payer's address if the payment was made with a method.
func emailAt(kind string, v payment.View, doc document) string {
	if methodType(v.Payment, doc) != kind {
		return ""
	}
	return doc.email()
}

// fits reports whether a payment is wanted.
func (w *filter) fits(v payment.View) bool {
	p, doc := v.Payment, documentOf(v)
	for name, wanted := range w.texts {
		if !slices.Contains(wanted, textFilters[name](v, doc)) {
			return false
		}
	}
	if w.hasOrderID && orderIDOf(p, doc) != w.orderID {
		return false
	}
	return p.Amount.Minor >= w.least && p.Amount.Minor <= w.most
}

// readFilter reads a list's query. Names that are not known are ignored.
func (c *call) readFilter() (*filter, error) {
	wanted := &filter{texts: map[string][]string{}, limit: pageMax, most: money.Max}
	for name := range textFilters {
		if values := listed(c.query, name); len(values) > 0 {
			wanted.texts[name] = values
		}
	}
	wanted.orderID, wanted.hasOrderID = c.query.Get("order_id"), c.query.Get("order_id") != ""
	if !wanted.narrow() {
		return nil, c.route.invalid("status", notValid)
	}
	if !areCurrencies(wanted.texts["currency_code"]) {
		return nil, c.route.invalid("currency_code", notValid)
	}
	for name, read := range map[string]func(string) bool{
		"from_date":  func(text string) bool { return readTime(text, false, &wanted.from) },
		"to_date":    func(text string) bool { return readTime(text, true, &wanted.until) },
		"min_amount": func(text string) bool { return readMinor(text, &wanted.least) },
		"max_amount": func(text string) bool { return readMinor(text, &wanted.most) },
		"limit":      wanted.readLimit,
		"cursor":     wanted.cursor.read,
	} {
		if text := c.query.Get(name); text != "" && !read(text) {
			return nil, c.route.invalid(name, notValid)
		}
	}
	return wanted, nil
}

const notValid = "Value is not valid"

// listed returns the values of a query that may be repeated, and have commas.
func listed(query url.Values, name string) []string {
	var values []string
	for _, text := range query[name] {
		for value := range strings.SplitSeq(text, ",") {
			if value = strings.TrimSpace(value); value != "" {
				values = append(values, value)
			}
		}
	}
	return values
}

// narrow lets the store look for the statuses that are wanted only. It reports
// whether all are known.
func (w *filter) narrow() bool {
	for _, word := range w.texts["status"] {
		known := false
		for status, shown := range paymentWords {
			if shown == word || statusRoots[word] == status {
				known = true
				w.domain = append(w.domain, status)
			}
		}
		if !known {
			return false
		}
	}
	return true
}

// statusRoots says what in the domain the statuses are that captures make.
var statusRoots = map[string]payment.PaymentStatus{
	statusSettling: payment.PaymentAuthorized, statusPartiallySettled: payment.PaymentCaptured,
}

func areCurrencies(codes []string) bool {
	return !slices.ContainsFunc(codes, func(code string) bool {
		_, err := money.ParseCurrency(code)
		return err != nil || strings.ToUpper(code) != code
	})
}

// timeLayouts are the spellings of a time that are read; without a zone it is UTC.
var timeLayouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
}

// readTime reads a time, or a day: its beginning, or its end.
func readTime(text string, isEnd bool, to *time.Time) bool {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		if *to = day; isEnd {
			*to = day.Add(24*time.Hour - time.Microsecond)
		}
		return !to.IsZero() // the zero time would narrow nothing
	}
	for _, layout := range timeLayouts {
		if at, err := time.Parse(layout, text); err == nil {
			*to = at.UTC()
			return !to.IsZero()
		}
	}
	return false
}

func readMinor(text string, to *money.Minor) bool {
	minor, err := strconv.ParseInt(text, 10, 64)
	*to = money.Minor(minor)
	return err == nil && minor >= 0
}

func (w *filter) readLimit(text string) bool {
	limit, err := strconv.Atoi(text)
	w.limit = limit
	return err == nil && limit >= 1 && limit <= pageMax
}
