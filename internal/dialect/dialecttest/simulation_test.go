package dialecttest_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
	"github.com/refundry/refundry/internal/pgtest"
)

var (
	simulationSeed  = flag.Uint64("seed", 0, "what happens in a simulation; 0: something new each time")
	simulationDeeds = flag.Int("deeds", 60, "how much each actor of a simulation does")
)

const simulationActors = 5

// Everything at once: merchants at every door, operators, disputes, policies
// that come and go, a processor and receivers of webhooks that lie, and time
// that jumps. In the end each refund is where its money is, and everybody was
// told. A failed run says its seed; the threads still race as they like.
func TestSimulation(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		simulate(t, dialecttest.Start(t, ""))
	})
	t.Run("two replicas on postgres", func(t *testing.T) {
		t.Parallel()
		database := pgtest.Database(t)
		simulate(t, dialecttest.Start(t, database), dialecttest.Start(t, database))
	})
}

func simulate(t *testing.T, replicas ...*dialecttest.World) {
	t.Helper()
	seed := *simulationSeed
	if seed == 0 {
		seed = rand.Uint64()
	}
	s := &simulation{World: replicas[0], replicas: replicas}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("to see the same deeds: go test ./internal/dialect/dialecttest -run %s -seed=%d", t.Name(), seed)
		}
	})
	s.prepare(rand.New(rand.NewPCG(seed, 0)))
	var actors sync.WaitGroup
	for n := range simulationActors {
		luck := rand.New(rand.NewPCG(seed, uint64(n)+1))
		actors.Go(func() {
			for range *simulationDeeds {
				s.deed(replicas[luck.IntN(len(replicas))], luck)
			}
		})
	}
	actors.Wait()
	s.settle()
	s.compare()
	s.Clean()
}

// simulation is what the actors share.
type simulation struct {
	*dialecttest.World

	replicas []*dialecttest.World

	mutex sync.Mutex
	paid  []taken
}

// taken is a payment, and how each door names it.
type taken struct {
	id    string
	names map[string]string
}

// prepare lets every door be told, by a network that lies.
func (s *simulation) prepare(luck *rand.Rand) {
	for name, value := range map[string]any{
		"smartglocal.parallel_refunds": true, "pike.parallel_refunds": true, "chip.refund_sync_timeout": int64(50),
		"ping.refunds_view": "all", "primer.refund_during_dispute": "allow",
		"policy.approval_above": int64(15_000), "policy.approval_expires_hours": int64(48),
	} {
		s.Set(name, value)
	}
	s.Tell("smartglocal", "pike", "chip", "primer", "api")
	var mutex sync.Mutex
	s.Receiver.Answer(func(dialecttest.Webhook) int {
		mutex.Lock()
		defer mutex.Unlock()
		return []int{200, 200, 200, 204, 301, 404, 429, 500}[luck.IntN(8)]
	})
}

// deed does one thing by chance. Whatever it is, it is answered, and never by
// a failure of ours.
func (s *simulation) deed(w *dialecttest.World, luck *rand.Rand) {
	of, known := s.some(luck)
	if !known || luck.IntN(6) == 0 {
		s.pay(w, doors[luck.IntN(len(doors))])
		return
	}
	switch n := luck.IntN(20); {
	case n < 9:
		d := doors[luck.IntN(len(doors))]
		s.sane("refund at "+d.name, d.refund(w, of.names[d.name], amountByChance(luck)))
	case n < 11:
		d := doors[luck.IntN(len(doors))]
		s.sane("read at "+d.name, d.read(w, of.names[d.name]))
	case n < 15:
		s.move(w, of, luck)
	case n < 17:
		s.dispute(w, of, luck)
	case n < 19:
		w.Advance([]string{"1s", "20s", "2m", "3h"}[luck.IntN(4)])
	default:
		s.halt(luck.IntN(4) == 0)
	}
}

// halt stops refunds, or lets them go again. Whoever changes a tenant that
// somebody else changes at the same time looks again.
func (s *simulation) halt(isHalted bool) {
	dialecttest.Eventually(s.T, "refunds are stopped, or not any more", func() bool {
		return s.Service.SetSettings(s.T.Context(), map[string]any{"policy.halted": isHalted}) == nil
	})
}

// amountByChance is a refund's amount: often one with which the sandbox lies,
// sometimes none.
func amountByChance(luck *rand.Rand) string {
	switch n := luck.IntN(8); {
	case n < 1:
		return ""
	case n < 2:
		return fmt.Sprint(1 + luck.Int64N(whole))
	case n < 5:
		return fmt.Sprint(1 + luck.Int64N(3_000))
	default:
		return fmt.Sprint(9001 + luck.IntN(9))
	}
}

func (s *simulation) some(luck *rand.Rand) (taken, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if len(s.paid) == 0 {
		return taken{}, false
	}
	return s.paid[luck.IntN(len(s.paid))], true
}

func (s *simulation) pay(w *dialecttest.World, home door) {
	named := home.pay(w)
	read := totals(w, home, named)
	made := taken{text(read.At("id")), map[string]string{}}
	for _, d := range doors {
		made.names[d.name] = d.names(read)
	}
	made.names[home.name] = named
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.paid = append(s.paid, made)
}

// move does to one of a payment's refunds what a merchant or an operator can do.
func (s *simulation) move(w *dialecttest.World, of taken, luck *rand.Rand) {
	refunds := list(own.read(w, of.id).At("refunds"))
	if len(refunds) == 0 {
		return
	}
	path := "/v1/refunds/" + text(dialecttest.At(refunds[luck.IntN(len(refunds))], "id")) + "/"
	switch verb := []string{"cancel", "retry", "approve", "reject", "inquire", "resend"}[luck.IntN(6)]; verb {
	case "cancel":
		s.sane(verb, w.API(http.MethodPost, path+verb, "{}"))
	case "retry":
		s.sane(verb, w.API(http.MethodPost, path+verb, "{}", "Idempotency-Key", fmt.Sprint(luck.Uint64())))
	default:
		s.sane(verb, w.Operate(http.MethodPost, path+verb, "{}"))
	}
}

// dispute opens a dispute, or ends one.
func (s *simulation) dispute(w *dialecttest.World, of taken, luck *rand.Rand) {
	open := list(w.API(http.MethodGet, "/v1/disputes?status=opened&payment="+of.id, "").At("disputes"))
	if len(open) == 0 {
		s.sane("dispute", w.Operate(http.MethodPost, "/v1/disputes",
			fmt.Sprintf(`{"payment":%q,"amount":%d}`, of.id, 1+luck.Int64N(5_000))))
		return
	}
	to := []string{"won", "lost", "accepted", "canceled"}[luck.IntN(4)]
	s.sane("dispute "+to, w.Operate(http.MethodPost, "/v1/disputes/"+text(dialecttest.At(open[0], "id"))+"/move", `{"to":"`+to+`"}`))
}

// sane fails the test if an answer is a failure of ours.
func (s *simulation) sane(what string, got dialecttest.Answered) {
	s.T.Helper()
	if got.Status < 200 || got.Status > 499 {
		s.T.Errorf("%s: %d %s", what, got.Status, got.Raw)
	}
}

// settle lets everything come to its end: nobody lies any more, time goes on,
// and a person looks at what only a person can end.
func (s *simulation) settle() {
	s.T.Helper()
	s.Receiver.Answer(func(dialecttest.Webhook) int { return http.StatusOK })
	s.Set("policy.halted", nil)
	dialecttest.Eventually(s.T, "every refund has ended", func() bool {
		s.Advance("50h")
		isOver := true
		for _, refund := range s.all("/v1/refunds", "refunds") {
			if slices.Contains(ends, text(dialecttest.At(refund, "status"))) {
				continue
			}
			isOver = false
			if dialecttest.At(refund, "needs_review") == true {
				s.sane("settle", s.Operate(http.MethodPost, "/v1/refunds/"+text(dialecttest.At(refund, "id"))+"/settle",
					`{"to":"failed","evidence":"it stays pending for ever"}`))
			}
		}
		return isOver
	})
	dialecttest.Eventually(s.T, "every webhook has ended", func() bool {
		s.Advance("50h")
		return len(list(s.API(http.MethodGet, "/v1/deliveries?status=open", "").At("deliveries"))) == 0
	})
}

// ends are the statuses in which a refund ends.
var ends = []string{"succeeded", "declined", "failed", "canceled", "returned"}

// all reads a list to its end.
func (s *simulation) all(path, name string) (all []any) {
	s.T.Helper()
	for after := ""; ; {
		page := mustBe(s.World, path, s.API(http.MethodGet, path+"?limit=100"+after, ""), http.StatusOK)
		all = append(all, list(page.At(name))...)
		next, _ := page.At("next").(string)
		if next == "" || len(list(page.At(name))) == 0 {
			return all
		}
		after = "&after=" + next
	}
}

// compare looks whether money, books, feed and webhooks tell the same.
func (s *simulation) compare() {
	s.T.Helper()
	moved := map[string]int64{}
	for _, attempt := range list(s.API(http.MethodGet, "/sandbox/movements", "").At("movements")) {
		moved[text(dialecttest.At(attempt, "refund"))] += minor(dialecttest.At(attempt, "count"))
	}
	given := map[string]int64{}
	refunds := s.all("/v1/refunds", "refunds")
	for _, refund := range refunds {
		id, status := text(dialecttest.At(refund, "id")), text(dialecttest.At(refund, "status"))
		want := int64(0)
		if status == "succeeded" || status == "returned" {
			want = 1
		}
		if moved[id] != want {
			s.T.Errorf("%s is %s, and its money moved %d times", id, status, moved[id])
		}
		if status == "succeeded" {
			given[text(dialecttest.At(refund, "payment"))] += minor(dialecttest.At(refund, "amount"))
		}
	}
	for _, paid := range s.all("/v1/payments", "payments") {
		id := text(dialecttest.At(paid, "id"))
		refunded, reserved := minor(dialecttest.At(paid, "refunded")), minor(dialecttest.At(paid, "reserved"))
		if refunded != given[id] || reserved != 0 || refunded > minor(dialecttest.At(paid, "captured")) {
			s.T.Errorf("%s says that %d are refunded and %d reserved; %d are: %v", id, refunded, reserved, given[id], paid)
		}
	}
	s.compareTold(refunds)
}

// compareTold looks whether every refund's end was told once in the feed, and
// by a webhook that was acknowledged, and whether each replica has the same feed.
func (s *simulation) compareTold(refunds []any) {
	s.T.Helper()
	feed := s.all("/v1/events", "events")
	for _, other := range s.replicas[1:] {
		if theirs := (&simulation{World: other}).all("/v1/events", "events"); fmt.Sprint(theirs) != fmt.Sprint(feed) {
			s.T.Errorf("%d events in the feed of one replica, %d in another's, or others", len(feed), len(theirs))
		}
	}
	in, heard := map[string]int{}, map[string]int{}
	for _, event := range feed {
		in[text(dialecttest.At(event, "refund"))+" "+text(dialecttest.At(event, "kind"))]++
	}
	for _, came := range s.Receiver.List("/api") {
		if came.Status/100 == 2 {
			heard[text(came.At("data.refund.id"))+" "+text(came.At("type"))]++
		}
	}
	for _, refund := range refunds {
		end := text(dialecttest.At(refund, "id")) + " refund." + text(dialecttest.At(refund, "status"))
		if in[end] != 1 || heard[end] < 1 {
			s.T.Errorf("%s was in the feed %d times, and told %d times", end, in[end], heard[end])
		}
	}
	s.T.Logf("%d refunds, %d events, %d webhooks", len(refunds), len(feed), len(s.Receiver.List("")))
}
