package dialecttest_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/pgtest"
	"github.com/refundry/refundry/internal/service"
)

const (
	linearTaken   = 1000 // of each payment: little, so that it is used up again and again
	linearCallers = 6
	linearDeeds   = 40 // of each caller, at each payment
	linearPatient = time.Minute
)

// However many callers ask, cancel and look at once, at several doors and
// several replicas: each answer is one that a single caller could have had, had
// all of it happened one after the other, each between its question and its
// answer.
func TestTheRefundableAmountIsLinearizable(t *testing.T) {
	t.Parallel()
	paused := func(c *service.Config) { c.PausesJobs = true } // nothing ends by itself
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		linear(t, dialecttest.Start(t, "", paused))
	})
	t.Run("two replicas on postgres", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		linear(t, dialecttest.Start(t, database, paused), dialecttest.Start(t, database, paused))
	})
}

func linear(t *testing.T, replicas ...*dialecttest.World) {
	t.Helper()
	first := replicas[0]
	for _, brand := range []string{"smartglocal", "pike"} {
		first.Set(brand+".parallel_refunds", true)
	}
	seed := rand.Uint64()
	for range 3 {
		paid := mustBe(first, "payment", first.API(http.MethodPost, "/v1/payments",
			fmt.Sprintf(`{"amount":%d,"currency":"EUR"}`, linearTaken)), http.StatusCreated)
		h := &history{t: t, paid: paid, began: time.Now()}
		var callers sync.WaitGroup
		for n := range linearCallers {
			luck := rand.New(rand.NewPCG(seed, uint64(n)))
			callers.Go(func() {
				for range linearDeeds {
					h.deed(replicas[luck.IntN(len(replicas))], n, luck)
				}
			})
		}
		callers.Wait()
		if got := porcupine.CheckOperationsTimeout(refundable, h.all, linearPatient); got != porcupine.Ok {
			t.Fatalf("%s with the seed %d:\n%s", got, seed, h)
		}
		seed++
	}
	first.Clean()
}

// deed is what a caller asks for.
type deed struct {
	what   string // "refund", "cancel", or "look"
	door   string
	amount int64  // of a refund, or of the one that is canceled
	refund string // that is canceled
}

// heard is what a caller was told.
type heard struct {
	isYes  bool
	refund string // that was made, if it can be canceled by its name
	left   int64  // what can be refunded, if the answer says so; otherwise unsaid
}

const unsaid = -1

// left is what can be refunded, and the refunds that can be canceled.
type left struct {
	amount int64
	open   map[string]bool
}

// refundable is what a payment does with its amount, one deed at a time.
var refundable = porcupine.Model{
	Init: func() any { return left{linearTaken, map[string]bool{}} },
	Step: func(state, input, output any) (bool, any) {
		now, _ := state.(left)
		asked, _ := input.(deed)
		got, _ := output.(heard)
		fits, after := now.after(asked, got)
		return fits && (got.left == unsaid || got.left == after.amount), after
	},
	Equal: func(a, b any) bool {
		one, _ := a.(left)
		other, _ := b.(left)
		return one.amount == other.amount && maps.Equal(one.open, other.open)
	},
}

// after returns whether an answer can be given now, and what is left then.
func (now left) after(asked deed, got heard) (bool, left) {
	open := maps.Clone(now.open)
	switch {
	case asked.what == "refund" && got.isYes:
		if got.refund != "" {
			open[got.refund] = true
		}
		return asked.amount <= now.amount, left{now.amount - asked.amount, open}
	case asked.what == "refund":
		return asked.amount > now.amount, now
	case asked.what == "cancel" && got.isYes:
		delete(open, asked.refund)
		return now.open[asked.refund], left{now.amount + asked.amount, open}
	case asked.what == "cancel":
		return !now.open[asked.refund], now
	default:
		return true, now
	}
}

// history is what callers asked about one payment, and were told.
type history struct {
	t     *testing.T
	paid  dialecttest.Answered
	began time.Time

	mutex sync.Mutex
	all   []porcupine.Operation
	made  []deed // the cancellations of every refund that was made
}

// String lists it in the order of the questions.
func (h *history) String() string {
	var b strings.Builder
	for _, one := range h.all {
		fmt.Fprintf(&b, "%9d %9d caller %d: %+v -> %+v\n", one.Call/1000, one.Return/1000, one.ClientId, one.Input, one.Output)
	}
	return b.String()
}

// deed does something by chance and writes down what came of it.
func (h *history) deed(w *dialecttest.World, caller int, luck *rand.Rand) {
	asked := h.choose(luck)
	called := time.Since(h.began)
	got := h.ask(w, asked)
	returned := time.Since(h.began)
	h.mutex.Lock()
	defer h.mutex.Unlock()
	h.all = append(h.all, porcupine.Operation{
		ClientId: caller, Input: asked, Output: got, Call: called.Nanoseconds(), Return: returned.Nanoseconds(),
	})
	if got.refund != "" {
		h.made = append(h.made, deed{"cancel", "api", asked.amount, got.refund})
	}
}

func (h *history) choose(luck *rand.Rand) deed {
	h.mutex.Lock()
	defer h.mutex.Unlock()
	switch n := luck.IntN(10); {
	case n < 2:
		return deed{what: "look", door: "api"}
	case n < 5 && len(h.made) > 0:
		return h.made[luck.IntN(len(h.made))]
	default:
		return deed{what: "refund", door: []string{"api", "api", "primer", "pike"}[luck.IntN(4)], amount: 1 + luck.Int64N(linearTaken/3)}
	}
}

func (h *history) ask(w *dialecttest.World, asked deed) heard {
	id := text(h.paid.At("id"))
	switch asked.what {
	case "look":
		got := mustBe(w, "look", w.API(http.MethodGet, "/v1/payments/"+id+"/refundability", ""), http.StatusOK)
		return heard{left: minor(got.At("max"))}
	case "cancel":
		got := w.API(http.MethodPost, "/v1/refunds/"+asked.refund+"/cancel", "{}")
		h.expect(asked, got, got.Status == http.StatusOK || got.Status == http.StatusConflict && got.At("code") == "wrong_status")
		return heard{isYes: got.Status == http.StatusOK, left: unsaid}
	}
	switch asked.door {
	case "primer":
		return h.refundAtPrimer(w, asked)
	case "pike":
		return h.refundAtPike(w, asked)
	}
	got := own.refund(w, id, text(asked.amount))
	if got.Status == http.StatusCreated {
		return heard{true, text(got.At("id")), unsaid}
	}
	h.expect(asked, got, got.Status == http.StatusConflict && got.At("code") == "refundable_amount_exceeded")
	return heard{left: minor(got.At("refundable"))}
}

func (h *history) refundAtPrimer(w *dialecttest.World, asked deed) heard {
	got := primer.refund(w, primer.names(h.paid), text(asked.amount))
	h.expect(asked, got, got.Status == http.StatusOK || primer.code(got) == "UnprocessableRefundAmount" ||
		primer.code(got) == "PaymentAlreadyRefunded")
	if got.Status != http.StatusOK {
		return heard{left: unsaid}
	}
	return heard{isYes: true, left: unsaid}
}

func (h *history) refundAtPike(w *dialecttest.World, asked deed) heard {
	pike := doors[1]
	got := pike.refund(w, pike.names(h.paid), text(asked.amount))
	h.expect(asked, got, got.Status == http.StatusOK || pike.code(got) == "invalid_request")
	if got.Status != http.StatusOK {
		return heard{left: unsaid}
	}
	return heard{isYes: true, left: unsaid}
}

// expect fails the test unless an answer is one of those that a deed has.
func (h *history) expect(asked deed, got dialecttest.Answered, isOne bool) {
	h.t.Helper()
	if !isOne {
		h.t.Errorf("%+v: %d %s", asked, got.Status, got.Raw)
	}
}
