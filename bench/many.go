package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// stretch is how many refunds one figure of (f) is the middle of.
const stretch = 100

// marksUpTo returns how many refunds a payment has at the end of each stretch.
func marksUpTo(most int) []int {
	return slices.DeleteFunc([]int{stretch, 300, 1000, 3000}, func(mark int) bool { return mark > most })
}

// series is what one more refund of one payment costs, the more it has.
type series struct {
	Store  string            `json:"store"`
	What   string            `json:"what"`
	Rounds []map[int]float64 `json:"rounds"` // p50 in milliseconds, by mark
}

// many are the kinds of payment that (f) refunds again and again.
var many = []struct {
	what   string
	lines  bool // the payment has line items
	server func(*world) *server
	waits  bool // until the refund's success was told
}{
	{"opened, none ended", false, func(w *world) *server { return w.paused }, false},
	{"opened, none ended, with lines", true, func(w *world) *server { return w.paused }, false},
	{"whole life", false, func(w *world) *server { return w.whole }, true},
	{"whole life, with lines", true, func(w *world) *server { return w.whole }, true},
}

// measureMany is (f): refunds of one payment, one after the other.
func (w *world) measureMany(ctx context.Context, store string, marks []int, all []*series) ([]*series, error) {
	for i, m := range many {
		if i == len(all) {
			all = append(all, &series{Store: store, What: m.what})
		}
		took, err := w.refundAgain(ctx, m.server(w), marks[len(marks)-1], m.lines, m.waits)
		if err != nil {
			return all, fmt.Errorf("(f) %s: %w", m.what, err)
		}
		round := map[int]float64{}
		for _, mark := range marks {
			part := slices.Sorted(slices.Values(took[mark-stretch : mark]))
			round[mark] = float64(part[stretch/2].Microseconds()) / 1000
		}
		all[i].Rounds = append(all[i].Rounds, round)
	}
	return all, nil
}

// refundAgain refunds one payment so many times, and returns how long each took.
func (w *world) refundAgain(ctx context.Context, s *server, times int, hasLines, waits bool) ([]time.Duration, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := dial(ctx, s.address)
	if err != nil {
		return nil, err
	}
	body := `{"amount":` + strconv.Itoa(paymentAmount) + `,"currency":"EUR"`
	if hasLines {
		body += `,"items":[{"name":"one","unit_amount":` + strconv.Itoa(paymentAmount/2) + `},{"name":"two","unit_amount":` +
			strconv.Itoa(paymentAmount/2) + `}]`
	}
	made, err := c.send(request("/v1/payments", http.Header{"Authorization": {"Bearer " + s.key}}, []byte(body+"}")), http.StatusCreated)
	if err != nil {
		return nil, err
	}
	var of struct{ ID payment.PaymentID }
	if err := json.Unmarshal(made, &of); err != nil {
		return nil, err
	}
	asks := []byte(`{"payment":"` + of.ID.String() + `","currency":"EUR","amount":2,"reason":"` + reason + `"}`)
	took := make([]time.Duration, 0, times)
	for len(took) < times {
		began := time.Now()
		answered, err := c.send(request("/v1/refunds", w.headerOf(s), asks), http.StatusCreated)
		if err != nil {
			return nil, err
		}
		if waits {
			var refund struct{ ID string }
			if err := json.Unmarshal(answered, &refund); err != nil {
				return nil, err
			}
			if err := w.receiver.await(ctx, refund.ID); err != nil {
				return nil, err
			}
		}
		took = append(took, time.Since(began))
	}
	return took, nil
}

// printSeries prints what one more refund costs beside the first hundred.
func printSeries(to io.Writer, store string, marks []int, all []*series) {
	if len(all) == 0 {
		return
	}
	_, _ = fmt.Fprintf(to, "\n| (f) one more refund of one payment, %s |", store)
	for _, mark := range marks {
		_, _ = fmt.Fprintf(to, " p50 ms up to %d | to the first %d |", mark, marks[0])
	}
	_, _ = fmt.Fprintf(to, "\n| --- |")
	for range marks {
		_, _ = fmt.Fprintf(to, " ---: | ---: |")
	}
	for _, s := range all {
		_, _ = fmt.Fprintf(to, "\n| %s |", s.What)
		for _, mark := range marks {
			_, _ = fmt.Fprintf(to, " %.2f | %.2f |", s.middle(func(r map[int]float64) float64 { return r[mark] }),
				s.middle(func(r map[int]float64) float64 { return r[mark] / r[marks[0]] }))
		}
	}
	_, _ = fmt.Fprintln(to)
}

// middle returns the median of a figure over the rounds.
func (s *series) middle(figure func(round map[int]float64) float64) float64 {
	values := make([]float64, len(s.Rounds))
	for i, round := range s.Rounds {
		values[i] = figure(round)
	}
	slices.Sort(values)
	return values[len(values)/2]
}
