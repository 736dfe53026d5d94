package client_test

import (
	"io"
	"iter"
	"net/http"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/refundry/refundry/client"
)

// torn breaks the first request that sends rows, after its first bytes have
// gone.
type torn struct {
	after int64
	isDue bool
}

func (tr *torn) RoundTrip(r *http.Request) (*http.Response, error) {
	if tr.isDue && r.Header.Get("Content-Type") == "application/x-ndjson" {
		tr.isDue = false
		r = r.Clone(r.Context())
		r.Body = io.NopCloser(io.MultiReader(io.LimitReader(r.Body, tr.after), broken{}))
	}
	return http.DefaultTransport.RoundTrip(r)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// rowsOf gives back a little of payments in turn, and has a bad row among them.
func rowsOf(payments []client.Payment, count int) iter.Seq[client.BatchRow] {
	return func(yield func(client.BatchRow) bool) {
		for n := range count {
			row := client.BatchRow{Payment: payments[n%len(payments)].ID, Money: client.Amount(1, "EUR")}
			if n == 1 {
				row.Money = client.Amount(1, "USD")
			}
			if !yield(row) {
				return
			}
		}
	}
}

// Rows whose connection breaks off are sent on from where it broke, the batch
// refunds each of them once, and the result says what became of each.
func TestBatchIsSentAndReadWhole(t *testing.T) {
	t.Parallel()
	breaking := &torn{after: 50_000, isDue: true}
	c, err := client.New(client.Config{
		BaseURL: os.Getenv("REFUNDRY_URL"), Key: client.Key(os.Getenv("REFUNDRY_KEY")),
		HTTP: &http.Client{Transport: breaking},
	})
	if err != nil {
		t.Fatal(err)
	}
	c.Pauses(func(int, time.Duration) {})
	const count = 1500
	var payments []client.Payment
	for range 300 {
		payments = append(payments, pay(t, c, count))
	}
	batch, err := c.CreateBatch(t.Context(), client.BatchRequest{IdempotencyKey: "recall-" + payments[0].ID})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // a program that starts anew sends the same again
		if batch, err = c.SendRows(t.Context(), batch.ID, rowsOf(payments, count)); err != nil {
			t.Fatal(err)
		}
	}
	if batch.Rows.Received != count || batch.Status != client.BatchReady || breaking.isDue {
		t.Fatalf("%d rows of %d, %s", batch.Rows.Received, count, batch.Status)
	}
	if _, err := c.StartBatch(t.Context(), batch.ID, "anna@shop.example"); err != nil {
		t.Fatal(err)
	}
	for event, err := range c.Follow(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		if event.Batch == batch.ID && event.Kind == "batch.done" {
			break
		}
	}
	if batch, err = c.Batch(t.Context(), batch.ID); err != nil || batch.Status != client.BatchDone || batch.Rows.Refunded != count-1 || batch.Rows.Invalid+batch.Rows.Refused != 1 {
		t.Fatalf("%+v, %v", batch.Rows, err)
	}
	var number int64
	for result, err := range c.BatchResults(t.Context(), batch.ID) {
		number++
		if err != nil || result.Number != number || (result.Refund == "") != (number == 2) || (result.RefundStatus == "") != (number == 2) {
			t.Fatalf("line %d: %+v, %v", number, result, err)
		}
	}
	if number != count {
		t.Fatalf("%d lines", number)
	}
	of := 0
	for refund, err := range c.Refunds(t.Context(), client.RefundFilter{Batch: batch.ID}) {
		if of++; err != nil || refund.Batch != batch.ID || refund.BatchRow == 0 {
			t.Fatalf("%+v, %v", refund, err)
		}
	}
	if of != count-1 {
		t.Fatalf("%d refunds of the batch", of)
	}
	for found, err := range c.Batches(t.Context(), client.BatchDone) {
		if err != nil || found.ID == batch.ID && found.Version != batch.Version {
			t.Fatalf("%+v, %v", found, err)
		}
	}
}

// A row that is no JSON ends the sending with what is wrong.
func TestRowThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	c := setup(t)
	batch, err := c.CreateBatch(t.Context(), client.BatchRequest{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.SendRows(t.Context(), batch.ID, slices.Values([]client.BatchRow{{Payment: "pay_1", Full: true, Metadata: func() {}}}))
	if err == nil {
		t.Fatal("it was sent")
	}
}

// The catalogue is read; without one, any reason is taken.
func TestReasons(t *testing.T) {
	t.Parallel()
	catalogue, err := setup(t).Reasons(t.Context())
	if err != nil || catalogue.IsRequired || len(catalogue.Reasons) > 0 {
		t.Fatalf("%+v, %v", catalogue, err)
	}
}
