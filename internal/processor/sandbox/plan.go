package sandbox

import (
	"context"
	"encoding/json"
	"strconv"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/id"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// PlanID names a plan.
type PlanID = id.ID[planKind]

type planKind struct{}

// Prefix implements [id.Kind].
func (planKind) Prefix() string { return "pln" }

// MatchBy says by what a plan knows its refunds.
type MatchBy string

// The ways.
const (
	MatchPayment   MatchBy = "payment"   // the payment's id
	MatchReference MatchBy = "reference" // the refund's reference, or its payment's
	MatchAmount    MatchBy = "amount"    // the refund's amount, in minor units
)

// Plan says what happens to refunds that match: each attempt takes the next
// outcome, and the last one is for all that follow.
type Plan struct {
	ID       PlanID
	By       MatchBy
	To       string
	Outcomes []Name
}

// plan is a plan with how often it was used.
type plan struct {
	Plan
	used int
}

// name returns what the plan says of the next attempt.
func (p *plan) name() Name {
	if p == nil {
		return ""
	}
	return p.Outcomes[min(p.used, len(p.Outcomes)-1)]
}

const (
	outcomesMax  = 100 // of one plan
	matchTextMax = 255 // bytes
)

// AddPlan keeps a plan; fault.Invalid. A newer plan goes before an older one.
func (s *Sandbox) AddPlan(ctx context.Context, tenant payment.TenantID, p Plan) (Plan, error) {
	if len(p.Outcomes) == 0 || len(p.Outcomes) > outcomesMax || p.To == "" || len(p.To) > matchTextMax {
		return Plan{}, fault.New(fault.Invalid, "a plan needs something to match and 1 to %d outcomes", outcomesMax)
	}
	for _, name := range p.Outcomes {
		if !name.isKnown() {
			return Plan{}, fault.New(fault.Invalid, "a plan has an outcome that there is not")
		}
	}
	outcomes, err := json.Marshal(p.Outcomes)
	if err != nil {
		return Plan{}, err
	}
	p.ID = s.config.NewID()
	_, err = s.record.db.ExecContext(ctx, s.record.query(`INSERT INTO sandbox_plan
		(id, tenant_id, match_by, match_to, outcomes, used) VALUES (?, ?, ?, ?, ?, 0)`),
		p.ID.String(), tenant.String(), string(p.By), p.To, string(outcomes))
	return p, err
}

// plan returns the newest plan that fits an attempt, nil if there is none.
func (r *record) plan(ctx context.Context, request processor.Request) (*plan, error) {
	rows, err := r.db.QueryContext(ctx, r.query(`SELECT id, outcomes, used FROM sandbox_plan
		WHERE tenant_id = ? AND ((match_by = 'payment' AND match_to = ?) OR (match_by = 'amount' AND match_to = ?)
			OR (match_by = 'reference' AND match_to <> '' AND match_to IN (?, ?)))
		ORDER BY id DESC LIMIT 1`),
		request.Tenant.String(), request.Payment.ID.String(), strconv.FormatInt(int64(request.Refund.Amount.Minor), 10),
		request.Refund.Reference, request.Payment.Reference)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // Err says what there is to say
	if !rows.Next() {
		return nil, rows.Err()
	}
	var found plan
	var outcomes string
	if err := rows.Scan(text{&found.ID}, &outcomes, &found.used); err != nil {
		return nil, err
	}
	return &found, json.Unmarshal([]byte(outcomes), &found.Outcomes)
}
