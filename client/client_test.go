package client_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/client"
)

func TestRefundsAreAskedForOnce(t *testing.T) {
	t.Parallel()
	c := setup(t)
	payment := pay(t, c, 1000)
	request := client.RefundRequest{
		IdempotencyKey: "once-" + payment.ID, Payment: payment.ID, Money: client.Amount(300, "EUR"), Reference: "r-1",
		Metadata: map[string]int{"case": 7}, NotBefore: time.Now().Add(time.Hour),
	}
	first, err := c.CreateRefund(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	again, err := c.CreateRefund(t.Context(), request)
	if err != nil || again.ID != first.ID {
		t.Errorf("again it is %s, %v; at first %s", again.ID, err, first.ID)
	}
	request.Money = client.Amount(301, "EUR")
	if _, err := c.CreateRefund(t.Context(), request); !errors.Is(err, client.IdempotencyKeyReused) {
		t.Errorf("another body: %v", err)
	}
	if first.Status != client.RefundScheduled || !first.Status.IsRunning() || first.Minor != 300 || string(first.Metadata) != `{"case":7}` {
		t.Errorf("got %+v", first)
	}
	canceled, err := c.CancelRefund(t.Context(), first.ID, client.Decision{Message: "kept"})
	if err != nil || canceled.Status != client.RefundCanceled || canceled.Failure.Message != "kept" {
		t.Errorf("canceled: %+v, %v", canceled, err)
	}
	if _, err := c.ApproveRefund(t.Context(), first.ID, client.Agreement{Digest: first.Digest}); !errors.Is(err, client.WrongStatus) {
		t.Errorf("approved: %v", err)
	}
	if _, err := c.RejectRefund(t.Context(), first.ID, client.Decision{Message: "no"}); !errors.Is(err, client.WrongStatus) {
		t.Errorf("rejected: %v", err)
	}
	checkRetry(t, c, canceled)
	read, err := c.Refund(t.Context(), first.ID)
	if err != nil || read.Version != canceled.Version {
		t.Errorf("read: %+v, %v", read, err)
	}
	left, err := c.Payment(t.Context(), payment.ID)
	if err != nil || left.Refundable != 700 || left.Minor != 1000 || left.Currency != "EUR" || left.IDs["primer"] == "" {
		t.Errorf("payment: %+v, %v", left, err)
	}
}

// checkRetry retries a refund that was canceled, and lists both.
func checkRetry(t *testing.T, c *client.Client, canceled client.Refund) {
	t.Helper()
	retried, err := c.RetryRefund(t.Context(), canceled.ID, client.RefundRequest{Note: "after all"})
	if err != nil || retried.RetryOf != canceled.ID || retried.Minor != canceled.Minor || retried.Note != "after all" {
		t.Errorf("retried: %+v, %v", retried, err)
	}
	var listed []string
	for refund, err := range c.Refunds(t.Context(), client.RefundFilter{Payment: canceled.Payment, From: canceled.CreatedAt}) {
		if err != nil {
			t.Fatal(err)
		}
		listed = append(listed, refund.ID)
	}
	if fmt.Sprint(listed) != fmt.Sprint([]string{retried.ID, canceled.ID}) {
		t.Errorf("listed: %v", listed)
	}
	for refund, err := range c.Refunds(t.Context(), client.RefundFilter{Payment: canceled.Payment, NeedsReview: true}) {
		t.Errorf("nobody need look at: %+v, %v", refund, err)
	}
	for dispute, err := range c.Disputes(t.Context(), client.DisputeFilter{Payment: canceled.Payment}) {
		t.Errorf("a dispute: %+v, %v", dispute, err)
	}
}

func TestPaymentsAreErased(t *testing.T) {
	t.Parallel()
	c := setup(t)
	payment := pay(t, c, 1000)
	erased, err := c.ErasePayment(t.Context(), payment.ID)
	if err != nil || erased.ErasedAt.IsZero() || erased.Captured != 1000 {
		t.Errorf("erased: %+v, %v", erased, err)
	}
	request := client.RefundRequest{Payment: payment.ID, Money: client.Amount(300, "EUR"), Note: "n"}
	if _, err := c.CreateRefund(t.Context(), request); !errors.Is(err, client.Code("payment_erased")) {
		t.Errorf("a refund with a note: %v", err)
	}
	request.Note = ""
	if _, err := c.CreateRefund(t.Context(), request); err != nil {
		t.Errorf("a refund without: %v", err)
	}
	if _, err := c.ErasePayment(t.Context(), pay(t, c, 1).ID+"x"); !errors.Is(err, client.NotFound) {
		t.Errorf("no such payment: %v", err)
	}
}

// A refund does what its preview said, or nothing.
func TestRefundsArePreviewed(t *testing.T) {
	t.Parallel()
	c := setup(t)
	payment := pay(t, c, 1000)
	request := client.RefundRequest{Payment: payment.ID, Money: client.Amount(300, "EUR"), User: "anna"}
	preview, err := c.PreviewRefund(t.Context(), request)
	if err != nil || !preview.IsAllowed || preview.Minor != 300 || preview.Refundable != 700 || len(preview.Refunds) != 1 {
		t.Fatalf("preview: %+v, %v", preview, err)
	}
	request.PreviewToken = preview.Token
	refund, err := c.CreateRefund(t.Context(), request)
	if err != nil || refund.User != "anna" {
		t.Errorf("refund: %+v, %v", refund, err)
	}
	request.Money = client.Amount(301, "EUR")
	if _, err := c.CreateRefund(t.Context(), request); !errors.Is(err, client.PreviewOutdated) {
		t.Errorf("another amount, with the old preview: %v", err)
	}
	left, err := c.Refundability(t.Context(), payment.ID)
	if err != nil || left.Max != 700 || left.Exposure.Captured != 1000 || left.Exposure.Total != 300 || len(left.Captures) != 1 {
		t.Errorf("left: %+v, %v", left, err)
	}
}

func TestErrorsSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	c := setup(t)
	_, err := c.CreateRefund(t.Context(), client.RefundRequest{Payment: "pay_1", Items: []client.ItemAsk{{}}})
	refused, ok := errors.AsType[*client.Error](err)
	if !ok || !errors.Is(err, client.InvalidRequest) || errors.Is(err, client.NotFound) {
		t.Fatalf("got %v", err)
	}
	if len(refused.Errors) == 0 || refused.RequestID == "" || refused.Status != http.StatusUnprocessableEntity || refused.Retryable {
		t.Errorf("got %+v", refused)
	}
	if text := err.Error(); !strings.Contains(text, "invalid_request") || !strings.Contains(text, "#/items/0/position") {
		t.Errorf("it says %s", text)
	}
	stranger, err := client.New(client.Config{BaseURL: os.Getenv("REFUNDRY_URL"), Key: "rfk_stranger"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stranger.Payment(t.Context(), "pay_1"); !errors.Is(err, client.Unauthorized) || strings.Contains(err.Error(), "rfk_") {
		t.Errorf("a stranger: %v", err)
	}
	if text := fmt.Sprintf("%v %+v %#v %s", stranger, stranger, client.Key("rfk_secret"), client.Key("rfk_secret")); strings.Contains(text, "rfk_") {
		t.Errorf("a key is printed: %s", text)
	}
	for _, bad := range []client.Config{{}, {BaseURL: "refunds.example", Key: "k"}, {BaseURL: "ftp://x", Key: "k"}, {BaseURL: "http://x"}} {
		if _, err := client.New(bad); err == nil {
			t.Errorf("%v is taken", bad)
		}
	}
}

func TestListsAreReadPageByPage(t *testing.T) {
	t.Parallel()
	c := setup(t)
	from := time.Now().Add(-time.Second)
	var made []string
	for range 120 { // more than a page
		made = append(made, pay(t, c, 7).ID)
	}
	seen := map[string]bool{}
	for payment, err := range c.Payments(t.Context(), client.PaymentFilter{
		Statuses: []client.PaymentStatus{client.PaymentCaptured, client.PaymentAuthorized}, Home: "api", From: from,
	}) {
		if err != nil {
			t.Fatal(err)
		}
		if seen[payment.ID] {
			t.Errorf("%s twice", payment.ID)
		}
		seen[payment.ID] = true
	}
	for _, id := range made {
		if !seen[id] {
			t.Errorf("%s is not listed", id)
		}
	}
	again := c.Payments(t.Context(), client.PaymentFilter{Until: from.Add(time.Hour)})
	for range 2 {
		for payment, err := range again {
			if err != nil || !slices.Contains(made, payment.ID) && payment.CreatedAt.Before(from) {
				t.Errorf("again it begins with %s, %v", payment.ID, err)
			}
			break // nobody has to read on
		}
	}
	for _, err := range c.Payments(t.Context(), client.PaymentFilter{Statuses: []client.PaymentStatus{"nonsense"}}) {
		if !errors.Is(err, client.InvalidRequest) {
			t.Errorf("got %v", err)
		}
	}
}

// Followed events are those of the pages, and go on as things happen.
func TestEventsAreFollowed(t *testing.T) {
	t.Parallel()
	c := setup(t)
	payment := pay(t, c, 100)
	refund, err := c.CreateRefund(t.Context(), client.RefundRequest{Payment: payment.ID, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	var kinds []string
	for event, err := range c.Follow(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if event.Refund == refund.ID {
			if kinds = append(kinds, event.Kind); event.Kind == "refund.succeeded" {
				break
			}
		}
	}
	if want := "[refund.created refund.submitted refund.succeeded]"; fmt.Sprint(kinds) != want {
		t.Errorf("got %v, want %s", kinds, want)
	}
	entries, err := c.Entries(t.Context(), payment.ID)
	if err != nil || len(entries) != 3 || entries[2].Cause != "refund.succeeded" || entries[2].Postings[0].Minor != 100 {
		t.Errorf("entries: %+v, %v", entries, err)
	}
	balances, err := c.Balances(t.Context())
	if err != nil || len(balances) == 0 {
		t.Errorf("balances: %+v, %v", balances, err)
	}
	var sum int64
	for _, balance := range balances {
		sum += balance.Minor
	}
	if sum != 0 {
		t.Errorf("the balances add up to %d", sum)
	}
	if before, err := c.BalancesAt(t.Context(), time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)); err != nil || len(before) > 0 {
		t.Errorf("before anything happened: %+v, %v", before, err)
	}
	var booked []client.BookedEntry
	for entry, err := range c.LedgerEntries(t.Context(), client.EntryFilter{Payment: payment.ID, Cause: "refund.succeeded"}) {
		if err != nil {
			t.Fatal(err)
		}
		booked = append(booked, entry)
	}
	if len(booked) != 1 || booked[0].Refund != entries[2].Refund || booked[0].Payment == "" {
		t.Errorf("booked: %+v", booked)
	}
	accounts, err := c.LedgerAccounts(t.Context())
	if err != nil || len(accounts) == 0 || accounts[0].NormalSide == "" || len(accounts[0].Currencies) != 1 {
		t.Errorf("accounts: %+v, %v", accounts, err)
	}
	for _, err := range c.Follow(t.Context(), "nonsense") {
		if !errors.Is(err, client.InvalidRequest) {
			t.Errorf("got %v", err)
		}
	}
}

// hook is a webhook as it came.
type hook struct {
	header http.Header
	body   []byte
}

// Endpoints are managed, tried and told, and what they are told is verified.
func TestWebhooksAreVerified(t *testing.T) {
	t.Parallel()
	c := setup(t)
	hooks := make(chan hook, 100)
	hears := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body := make([]byte, r.ContentLength)
		_, _ = r.Body.Read(body)
		hooks <- hook{r.Header.Clone(), body}
	}))
	t.Cleanup(hears.Close)
	endpoint, err := c.CreateEndpoint(t.Context(), client.EndpointRequest{URL: hears.URL, Kinds: []string{"refund.succeeded"}})
	if err != nil || endpoint.Secret == "" {
		t.Fatalf("endpoint: %+v, %v", endpoint, err)
	}
	delivery, err := c.TestEndpoint(t.Context(), endpoint.ID)
	if err != nil {
		t.Fatal(err)
	}
	// Other tests refund too: until is what was wanted, the rest is read and left.
	until := func(isWanted func(client.Webhook) bool) (client.Webhook, hook) {
		for came := range hooks {
			webhook, err := client.VerifyWebhook(endpoint.Secret, came.header, came.body, time.Now())
			if err != nil {
				t.Fatal(err)
			}
			if isWanted(webhook) {
				return webhook, came
			}
		}
		panic("nothing came")
	}
	if webhook, _ := until(func(w client.Webhook) bool { return w.ID == delivery.ID }); webhook.Kind != "endpoint.tried" {
		t.Errorf("the test: %+v", webhook)
	}
	rotated, err := c.RotateEndpoint(t.Context(), endpoint.ID, time.Hour)
	if err != nil || rotated.Secret == endpoint.Secret || rotated.PreviousUntil.IsZero() {
		t.Fatalf("rotated: %+v, %v", rotated, err)
	}
	payment := pay(t, c, 50)
	refund, err := c.CreateRefund(t.Context(), client.RefundRequest{Payment: payment.ID, Full: true})
	if err != nil {
		t.Fatal(err)
	}
	webhook, came := until(func(w client.Webhook) bool { return w.Refund != nil && w.Refund.ID == refund.ID })
	if webhook.Refund.Status != client.RefundSucceeded || webhook.Sequence == 0 || webhook.Refund.Payment != payment.ID {
		t.Errorf("told: %+v", webhook)
	}
	if _, err := client.VerifyWebhook(rotated.Secret, came.header, came.body, time.Now()); err != nil {
		t.Errorf("with the new secret: %v", err)
	}
	checkEndpoints(t, c, endpoint)
}

func checkEndpoints(t *testing.T, c *client.Client, endpoint client.Endpoint) {
	t.Helper()
	yes := true
	missed, err := c.ReplayEvents(t.Context(), endpoint.ID, client.Replay{OnlyMissed: true, Until: time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)})
	if err != nil || missed.Deliveries != 0 || missed.First != "" {
		t.Errorf("replayed: %+v, %v", missed, err)
	}
	changed, err := c.ChangeEndpoint(t.Context(), endpoint.ID, client.EndpointChange{IsDisabled: &yes})
	if err != nil || !changed.IsDisabled || changed.URL != endpoint.URL {
		t.Errorf("disabled: %+v, %v", changed, err)
	}
	if _, err := c.TestEndpoint(t.Context(), endpoint.ID); !errors.Is(err, client.Conflict) {
		t.Errorf("a disabled one is tested: %v", err)
	}
	read, err := c.Endpoint(t.Context(), endpoint.ID)
	if err != nil || !read.IsDisabled || read.PublicKey == "" || read.Health == nil || read.Health.Deliveries == 0 {
		t.Errorf("read: %+v, %v", read, err)
	}
	list, err := c.Endpoints(t.Context())
	if err != nil || !slices.ContainsFunc(list, func(e client.Endpoint) bool { return e.ID == endpoint.ID }) {
		t.Errorf("list: %+v, %v", list, err)
	}
	var last client.Delivery
	for delivery, err := range c.Deliveries(t.Context(), client.DeliveryFilter{Endpoint: endpoint.ID}) {
		if err != nil {
			t.Fatal(err)
		}
		if delivery.Kind == "endpoint.tried" {
			last = delivery
		}
	}
	for tick := time.NewTicker(5 * time.Millisecond); last.Status == "open"; <-tick.C { // what has come is written down next
		if last, err = c.Delivery(t.Context(), last.ID); err != nil {
			t.Fatal(err)
		}
	}
	if whole, err := c.Delivery(t.Context(), last.ID); err != nil || whole.Kind != "endpoint.tried" || len(whole.Log) == 0 {
		t.Errorf("delivery: %+v, %v", whole, err)
	}
	if again, err := c.Resend(t.Context(), last.ID); err != nil || again.Status != "open" {
		t.Errorf("resent: %+v, %v", again, err)
	}
	if err := c.RemoveEndpoint(t.Context(), endpoint.ID); err != nil {
		t.Error(err)
	}
	if err := c.RemoveEndpoint(t.Context(), endpoint.ID); !errors.Is(err, client.NotFound) {
		t.Errorf("removed twice: %v", err)
	}
}

// fake answers as it is told.
type fake struct {
	mutex   sync.Mutex
	answers []func(w http.ResponseWriter)
	keys    []string // of the requests that came
}

func (f *fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mutex.Lock()
	defer f.mutex.Unlock()
	f.keys = append(f.keys, r.Header.Get("Idempotency-Key"))
	answer := f.answers[0]
	f.answers = f.answers[1:]
	answer(w)
}

func says(status int, body string, header ...string) func(http.ResponseWriter) {
	return func(w http.ResponseWriter) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}
}

func breaks(http.ResponseWriter) { panic(http.ErrAbortHandler) }

// What may be sent again without harm is sent again, and nothing else.
func TestOnlySafeCallsAreSentAgain(t *testing.T) {
	t.Parallel()
	good := says(http.StatusOK, `{"id": "rfd_1"}`)
	busy := says(http.StatusServiceUnavailable, `{"code": "unavailable"}`, "Retry-After", "7")
	many := says(http.StatusTooManyRequests, `slow down`)
	for name, test := range map[string]struct {
		answers []func(http.ResponseWriter)
		key     string
		sent    int
		works   bool
		wanted  string
	}{
		"with a key, broken":         {[]func(http.ResponseWriter){breaks, good}, "k", 2, true, "[0s]"},
		"with a key, busy":           {[]func(http.ResponseWriter){busy, many, good}, "k", 3, true, "[7s 0s]"},
		"with a key, never":          {[]func(http.ResponseWriter){busy, busy, busy, busy}, "k", 4, false, "[7s 7s 7s]"},
		"with a key, refused":        {[]func(http.ResponseWriter){says(409, `{"code": "wrong_status"}`)}, "k", 1, false, "[]"},
		"with a key, a bug":          {[]func(http.ResponseWriter){says(500, `{"code": "internal_error"}`)}, "k", 1, false, "[]"},
		"without a key, broken":      {[]func(http.ResponseWriter){breaks}, "", 1, false, "[]"},
		"without a key, busy":        {[]func(http.ResponseWriter){busy}, "", 1, false, "[]"},
		"with a key, sent elsewhere": {[]func(http.ResponseWriter){says(302, "", "Location", "/")}, "k", 1, false, "[]"},
	} {
		f := &fake{answers: test.answers}
		server := httptest.NewServer(f)
		c, err := client.New(client.Config{BaseURL: server.URL + "/", Key: "rfk_x"})
		if err != nil {
			t.Fatal(err)
		}
		var wanted []time.Duration
		c.Pauses(func(_ int, length time.Duration) { wanted = append(wanted, length) })
		_, err = c.CreateRefund(t.Context(), client.RefundRequest{IdempotencyKey: test.key, Payment: "pay_1", Full: true})
		server.Close()
		if len(f.keys) != test.sent || (err == nil) != test.works || fmt.Sprint(wanted) != test.wanted {
			t.Errorf("%s: sent %d times, %v, paused %v", name, len(f.keys), err, wanted)
		}
		for _, key := range f.keys {
			if key != test.key {
				t.Errorf("%s: sent with the key %q", name, key)
			}
		}
	}
}

// Reading is sent again, and a stream goes on where it broke off.
func TestReadingGoesOn(t *testing.T) {
	t.Parallel()
	stream := func(text string) func(http.ResponseWriter) {
		return says(http.StatusOK, text, "Content-Type", "text/event-stream")
	}
	f := &fake{answers: []func(http.ResponseWriter){
		breaks, says(http.StatusOK, `{"id": "pay_1"}`),
		stream(": welcome\n\nid: 1-0\ndata: {\"cursor\": \"1-0\"}\n\nid: 2-0\ndata: {\"cursor\": \"2-0\"}\n\n"), breaks,
		stream("id: 3-0\ndata: {\"cursor\": \"3-0\"}\n\n"), says(http.StatusUnauthorized, `{"code": "unauthorized"}`),
	}}
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.Header.Get("Last-Event-ID"))
		f.ServeHTTP(w, r)
	}))
	defer server.Close()
	c, err := client.New(client.Config{BaseURL: server.URL, Key: "rfk_x"})
	if err != nil {
		t.Fatal(err)
	}
	c.Pauses(func(int, time.Duration) {})
	if payment, err := c.Payment(t.Context(), "pay_1"); err != nil || payment.ID != "pay_1" {
		t.Errorf("got %+v, %v", payment, err)
	}
	var seen []string
	for event, err := range c.Follow(t.Context(), "0-1") {
		if err != nil {
			seen = append(seen, err.Error())
		} else {
			seen = append(seen, event.Cursor)
		}
	}
	if want := "[1-0 2-0 3-0 refundry: 401 unauthorized]"; fmt.Sprint(seen) != want {
		t.Errorf("got %v, want %s", seen, want)
	}
	if want := "[  0-1 2-0 2-0 3-0]"; fmt.Sprint(asked) != want {
		t.Errorf("asked for %v, want %s", asked, want)
	}
}
