package sandbox

import (
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// bodyBytesMax bounds a plan.
const bodyBytesMax = 64 << 10

// answer is what a route makes of a request whose caller is known.
type answer func(r *http.Request, tenant payment.TenantID, body wire.Value) (shown any, err error)

// Register mounts the sandbox's own routes. They take the own API's key:
// authenticate returns whose it is.
func (s *Sandbox) Register(mux *http.ServeMux, authenticate func(*http.Request) (payment.TenantID, error)) {
	methods := map[string][]string{} // by path
	for pattern, route := range map[string]struct {
		status int
		answer answer
	}{
		"POST /sandbox/plans":    {http.StatusCreated, s.postPlan},
		"POST /sandbox/clock":    {http.StatusOK, s.postClock},
		"GET /sandbox/clock":     {http.StatusOK, s.getClock},
		"GET /sandbox/movements": {http.StatusOK, s.getMovements},
	} {
		method, path, _ := strings.Cut(pattern, " ")
		methods[path] = append(methods[path], method)
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			wire.OnBug(r, func(w http.ResponseWriter) { s.refuse(w, r, wire.ErrBug) })
			tenant, err := authenticate(r)
			if err != nil {
				s.refuse(w, r, unknownCaller(err))
				return
			}
			body, err := readBody(w, r)
			if err != nil {
				s.refuse(w, r, err)
				return
			}
			shown, err := route.answer(r, tenant, body)
			if err != nil {
				s.refuse(w, r, err)
				return
			}
			writeJSON(w, route.status, "application/json", shown)
		})
	}
	for _, root := range []string{"/sandbox", "/sandbox/"} { // the mux would redirect from one to the other
		mux.HandleFunc(root, func(w http.ResponseWriter, r *http.Request) { s.noRoute(w, r, methods[r.URL.Path]) })
	}
}

// noRoute answers what no route answers: a wrong method, or nothing at all.
func (s *Sandbox) noRoute(w http.ResponseWriter, r *http.Request, methods []string) {
	if len(methods) == 0 {
		s.refuse(w, r, newProblem(http.StatusNotFound, "not_found", "there is nothing at this path"))
		return
	}
	allowed := strings.Join(slices.Sorted(slices.Values(methods)), ", ")
	w.Header().Set("Allow", allowed)
	s.refuse(w, r, newProblem(http.StatusMethodNotAllowed, "method_not_allowed", "this path takes "+allowed))
}

// readBody reads what a POST has to say.
func readBody(w http.ResponseWriter, r *http.Request) (wire.Value, error) {
	if r.Method != http.MethodPost {
		return wire.Value{}, nil
	}
	raw, err := wire.Body(w, r, bodyBytesMax)
	if err != nil {
		return wire.Value{}, err
	}
	body, err := wire.Parse(raw)
	if err != nil {
		return wire.Value{}, err
	}
	if !body.Is(wire.Object) {
		return wire.Value{}, wrong("#", "is not an object")
	}
	if body.HasCardNumber() {
		return wire.Value{}, errCardNumber
	}
	return body, nil
}

// only refuses members that nobody would look at.
func only(of wire.Value, pointer string, names ...string) error {
	for _, name := range of.Names() {
		known := false
		for _, other := range names {
			known = known || name == other
		}
		if !known {
			return wrong(pointer, "has a member that there is not") // its name may be anything
		}
	}
	return nil
}

// postPlan takes {"match": {"payment" | "reference" | "amount": …}, "outcomes": […]}.
func (s *Sandbox) postPlan(r *http.Request, tenant payment.TenantID, body wire.Value) (any, error) {
	plan, err := readPlan(body)
	if err != nil {
		return nil, err
	}
	kept, err := s.AddPlan(r.Context(), tenant, plan)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"id": kept.ID, "match": json.RawMessage(body.Get("match").Compact()), "outcomes": kept.Outcomes,
	}, nil
}

func readPlan(body wire.Value) (plan Plan, err error) {
	if err := only(body, "#", "match", "outcomes"); err != nil {
		return Plan{}, err
	}
	if plan, err = readMatch(body.Get("match")); err != nil {
		return Plan{}, err
	}
	plan.Outcomes, err = readOutcomes(body.Get("outcomes"))
	return plan, err
}

func readMatch(match wire.Value) (Plan, error) {
	if !match.Is(wire.Object) || len(match.Names()) != 1 {
		return Plan{}, wrong("#/match", "is an object with one of payment, reference and amount")
	}
	plan := Plan{By: MatchBy(match.Names()[0])}
	value := match.Get(string(plan.By))
	text, isText := value.Text()
	switch plan.By {
	case MatchPayment:
		var of payment.PaymentID
		if !isText || id.ParseAny(&of, text) != nil {
			return Plan{}, wrong("#/match/payment", "is no payment's id: pay_…, a UUID, or ps_… or pm_… with digits")
		}
		plan.To = of.String()
	case MatchReference:
		if !isText || text == "" || len(text) > matchTextMax {
			return Plan{}, wrong("#/match/reference", "is a text of 1 to 255 bytes")
		}
		plan.To = text
	case MatchAmount:
		number, ok := value.Int()
		if !ok || number < 1 {
			return Plan{}, wrong("#/match/amount", "is a whole number of minor units above zero")
		}
		plan.To = strconv.FormatInt(number, 10)
	default:
		return Plan{}, wrong("#/match", "is an object with one of payment, reference and amount")
	}
	return plan, nil
}

func readOutcomes(list wire.Value) ([]Name, error) {
	elements := list.Elements()
	if !list.Is(wire.Array) || len(elements) == 0 || len(elements) > outcomesMax {
		return nil, wrong("#/outcomes", "is a list of 1 to 100 outcomes")
	}
	outcomes := make([]Name, len(elements))
	for i, element := range elements {
		name, _ := element.Text()
		if outcomes[i] = Name(name); !outcomes[i].isKnown() {
			return nil, wrong("#/outcomes/"+strconv.Itoa(i), "is no outcome of the sandbox")
		}
	}
	return outcomes, nil
}

// postClock takes {"advance": "72h"} or {"to": "<RFC 3339>"}.
func (s *Sandbox) postClock(r *http.Request, _ payment.TenantID, body wire.Value) (any, error) {
	ahead, err := readClock(body)
	if err != nil {
		return nil, err
	}
	now, err := s.moveClock(r.Context(), ahead)
	if err != nil {
		return nil, err
	}
	return showClock(now), nil
}

// readClock reads how far the clock is to go.
func readClock(body wire.Value) (ahead func(now time.Time) time.Duration, err error) {
	if err := only(body, "#", "advance", "to"); err != nil {
		return nil, err
	}
	advance, to := body.Get("advance"), body.Get("to")
	if advance.Is(wire.Absent) == to.Is(wire.Absent) {
		return nil, wrong("#", `has either "advance" or "to"`)
	}
	if text, ok := advance.Text(); ok {
		by, err := time.ParseDuration(text)
		if err != nil {
			return nil, wrong("#/advance", `is a duration, as in "72h" or "1h30m"`)
		}
		return func(time.Time) time.Duration { return by }, nil
	}
	text, ok := to.Text()
	if !ok {
		return nil, wrong("#", `has "advance" or "to" as a text`)
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return nil, wrong("#/to", `is a time, as in "2026-01-31T00:00:00Z"`)
	}
	return func(now time.Time) time.Duration { return at.Sub(now) }, nil
}

func (s *Sandbox) getClock(*http.Request, payment.TenantID, wire.Value) (any, error) {
	return showClock(s.config.Clock.Now()), nil
}

func showClock(now time.Time) any {
	return map[string]string{"now": now.UTC().Format("2006-01-02T15:04:05.000000Z07:00")}
}

// getMovements counts movements of money: of one refund, with ?refund=rfd_…, or of all.
func (s *Sandbox) getMovements(r *http.Request, tenant payment.TenantID, _ wire.Value) (any, error) {
	var refund payment.RefundID
	if text := r.URL.Query().Get("refund"); text != "" {
		if err := id.ParseAny(&refund, text); err != nil || refund.IsZero() { // which would be all
			return nil, wrong("?refund", "is no refund's id: rfd_…, a UUID, or rf_… with digits")
		}
	}
	movements, err := s.Movements(r.Context(), tenant, refund)
	if err != nil {
		return nil, err
	}
	type shown struct {
		Refund  payment.RefundID  `json:"refund"`
		Attempt payment.AttemptID `json:"attempt"`
		Outcome Name              `json:"outcome"`
		Count   int               `json:"count"`
	}
	list := make([]shown, len(movements))
	for i, m := range movements {
		list[i] = shown{m.Refund, m.Attempt, m.Name, m.Count}
	}
	return map[string]any{"movements": list}, nil
}
