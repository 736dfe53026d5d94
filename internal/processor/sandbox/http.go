package sandbox

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// bodyBytesMax bounds a plan.
const bodyBytesMax = 64 << 10

// Register mounts the sandbox's own routes. They take the own API's key:
// authenticate returns whose it is.
func (s *Sandbox) Register(mux *http.ServeMux, authenticate func(*http.Request) (payment.TenantID, error)) {
	handle := func(pattern string, status int, answer func(*http.Request, payment.TenantID, wire.Value) (any, error)) {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			tenant, err := authenticate(r)
			if err != nil {
				w.Header().Set("WWW-Authenticate", "Bearer")
				writeProblem(w, http.StatusUnauthorized, "unauthorized", "the API key is missing or unknown")
				return
			}
			var body wire.Value
			if r.Method == http.MethodPost {
				if body, err = readBody(w, r); err != nil {
					writeError(w, err)
					return
				}
			}
			shown, err := answer(r, tenant, body)
			if err != nil {
				writeError(w, err)
				return
			}
			writeJSON(w, status, "application/json", shown)
		})
	}
	handle("POST /sandbox/plans", http.StatusCreated, s.postPlan)
	handle("POST /sandbox/clock", http.StatusOK, s.postClock)
	handle("GET /sandbox/clock", http.StatusOK, s.getClock)
	handle("GET /sandbox/movements", http.StatusOK, s.getMovements)
}

func readBody(w http.ResponseWriter, r *http.Request) (wire.Value, error) {
	raw, err := wire.Body(w, r, bodyBytesMax)
	if err != nil {
		return wire.Value{}, err
	}
	body, err := wire.Parse(raw)
	if err != nil || !body.Is(wire.Object) {
		return wire.Value{}, errBody
	}
	return body, nil
}

var errBody = errors.New("the body is not a JSON object")

// postPlan takes {"match": {"payment" | "reference" | "amount": …}, "outcomes": […]}.
func (s *Sandbox) postPlan(r *http.Request, tenant payment.TenantID, body wire.Value) (any, error) {
	match := body.Get("match")
	if !match.Is(wire.Object) || len(match.Names()) != 1 || len(body.Names()) != 2 {
		return nil, fault.New(fault.Invalid, "a plan is match, with one of payment, reference and amount, and outcomes")
	}
	plan := Plan{By: MatchBy(match.Names()[0])}
	value := match.Get(string(plan.By))
	given, isText := value.Text()
	number, isNumber := value.Int()
	switch {
	case plan.By == MatchPayment && isText:
		of, err := parsePayment(given)
		if err != nil {
			return nil, err
		}
		plan.To = of.String()
	case plan.By == MatchReference && isText:
		plan.To = given
	case plan.By == MatchAmount && isNumber && number > 0:
		plan.To = strconv.FormatInt(number, 10)
	default:
		return nil, fault.New(fault.Invalid, "match takes a payment's id, a reference, or an amount in minor units")
	}
	for _, element := range body.Get("outcomes").Elements() {
		name, _ := element.Text()
		plan.Outcomes = append(plan.Outcomes, Name(name))
	}
	kept, err := s.AddPlan(r.Context(), tenant, plan)
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"id": kept.ID, "match": json.RawMessage(match.Compact()), "outcomes": kept.Outcomes,
	}, nil
}

// parsePayment reads a payment's id as any front door spells it.
func parsePayment(text string) (payment.PaymentID, error) {
	var of payment.PaymentID
	if err := id.ParseAny(&of, text); err != nil {
		return of, fault.New(fault.Invalid, "match.payment is no payment's id")
	}
	return of, nil
}

// postClock takes {"advance": "72h"} or {"to": "<RFC 3339>"}.
func (s *Sandbox) postClock(r *http.Request, _ payment.TenantID, body wire.Value) (any, error) {
	advance, isAdvance := body.Get("advance").Text()
	to, isTo := body.Get("to").Text()
	if len(body.Names()) != 1 || isAdvance == isTo {
		return nil, fault.New(fault.Invalid, `the clock takes either "advance", as in "72h", or "to", a time`)
	}
	by, err := time.ParseDuration(advance)
	if isAdvance && err != nil {
		return nil, fault.New(fault.Invalid, `"advance" is a duration, as in "72h"`)
	}
	if isTo {
		at, err := time.Parse(time.RFC3339, to)
		if err != nil {
			return nil, fault.New(fault.Invalid, `"to" is a time, as in "2026-01-31T00:00:00Z"`)
		}
		by = at.Sub(s.config.Clock.Now())
	}
	now, err := s.AdvanceClock(r.Context(), by)
	if err != nil {
		return nil, err
	}
	return showClock(now), nil
}

func (s *Sandbox) getClock(*http.Request, payment.TenantID, wire.Value) (any, error) {
	return showClock(s.config.Clock.Now()), nil
}

func showClock(now time.Time) any {
	return map[string]string{"now": now.Format("2006-01-02T15:04:05.000000Z07:00")}
}

// getMovements counts movements of money: of one refund, with ?refund=rfd_…, or of all.
func (s *Sandbox) getMovements(r *http.Request, tenant payment.TenantID, _ wire.Value) (any, error) {
	var refund payment.RefundID
	if text := r.URL.Query().Get("refund"); text != "" {
		if err := refund.Parse(text); err != nil {
			return nil, fault.New(fault.Invalid, "refund is no refund's id")
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

func writeJSON(w http.ResponseWriter, status int, contentType string, shown any) {
	body, err := json.Marshal(shown)
	if err != nil {
		panic("sandbox: an answer of ours cannot be written: " + err.Error())
	}
	wire.Answer(w, status, contentType, body)
}

func writeProblem(w http.ResponseWriter, status int, code, detail string) {
	writeJSON(w, status, "application/problem+json", map[string]any{
		"type": "/errors/" + code, "title": http.StatusText(status), "status": status, "code": code, "detail": detail,
	})
}

func writeError(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, wire.ErrTooLarge):
		writeProblem(w, http.StatusRequestEntityTooLarge, "too_large", wire.ErrTooLarge.Error())
	case errors.Is(err, errBody), errors.Is(err, wire.ErrBody):
		writeProblem(w, http.StatusBadRequest, "invalid_json", errBody.Error())
	case fault.CodeOf(err) == fault.Invalid:
		writeProblem(w, http.StatusUnprocessableEntity, "invalid", fault.MessageOf(err))
	default:
		writeProblem(w, http.StatusInternalServerError, "internal", "internal error; nothing was done")
	}
}
