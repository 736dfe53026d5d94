package api

import (
	"net/http"
	"strings"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/wire"
)

// judgments are the operations by which somebody decides about a refund that
// is there.
func (a *API) judgments() []operation {
	one := []openapi.Parameter{pathID(refundID)}
	decided := codesOf(payment.RuleStatus)
	judged := codesOf(payment.RuleStatus, payment.RuleSelfApproval, payment.RuleSeen)
	return []operation{
		{
			method: "POST", path: "/v1/refunds/{id}/cancel", id: "cancelRefund", tag: tagRefunds, summary: "Cancel a refund",
			doc: "Stops a refund that has not left. Its amount is refundable again. With `group: true`, all that were opened " +
				"with it and have not ended are canceled, or none: `refunds` of the refusal names those that have left, and " +
				"the one that was named if it has ended.",
			scope: scopeWriteRefunds, takesKey: true, parameters: one, body: decisionRequest, codes: decided,
			answers: ok("The refund, canceled.", refundOpened), serve: a.cancelRefund,
		},
		{
			method: "POST", path: "/v1/refunds/{id}/approve", id: "approveRefund", tag: tagRefunds, summary: "Approve a refund",
			doc: "Agrees to a refund that waits for approval, and to those that were opened with it. Who asked for it cannot. " +
				"Name the `digest` of the refund that you have seen: you agree to that, and to nothing else.",
			scope: scopeApproveRefunds, takesKey: true, takesUser: true, parameters: one, body: approvalRequest, codes: judged,
			answers: ok("The refund, with one more approval.", refundSchema), serve: a.approveRefund,
		},
		{
			method: "POST", path: "/v1/refunds/{id}/reject", id: "rejectRefund", tag: tagRefunds, summary: "Reject a refund",
			doc: "Says no to a refund that waits for approval, and to those that were opened with it: they are canceled. " +
				"Who asked for it can cancel it instead.",
			scope: scopeApproveRefunds, takesKey: true, takesUser: true, parameters: one, body: rejectionRequest, codes: judged,
			answers: ok("The refund, canceled.", refundSchema), serve: a.rejectRefund,
		},
		a.retryOperation(),
		{
			method: "POST", path: "/v1/refunds/{id}/inquire", id: "inquireRefund", tag: tagOperators,
			summary: "Ask about a refund once more",
			doc: "Lets the processor be asked what became of a refund that has left: the first step with one that needs " +
				"review. No money moves.",
			access: forOperators, takesKey: true, takesUser: true, parameters: one, body: nudgeRequest, codes: decided,
			answers: ok("The refund, about which the processor is being asked.", refundSchema), serve: a.inquireRefund,
		},
		{
			method: "POST", path: "/v1/refunds/{id}/resend", id: "resendRefund", tag: tagOperators,
			summary: "Send a refund once more",
			doc: "Lets a refund that needs review, or is stuck, be sent once more: with the same attempt, if one may have " +
				"left, which a processor that knows it by its key does not carry out twice.",
			access: forOperators, takesKey: true, takesUser: true, parameters: one, body: nudgeRequest, codes: decided,
			answers: ok("The refund, which is being sent.", refundSchema), serve: a.resendRefund,
		},
		{
			method: "POST", path: "/v1/refunds/{id}/settle", id: "settleRefund", tag: tagOperators,
			summary: "Say what became of a refund",
			doc: "On evidence: an answer on the phone, a bank statement. For a refund that needs review, or is stuck. It is a " +
				"fact like a processor's own.",
			access: forOperators, takesKey: true, takesUser: true, parameters: one, body: settlementRequest,
			serve:   a.settleRefund,
			codes:   append(decided, codesOf(payment.RuleReason, payment.RuleAlias, payment.RuleReached)...),
			answers: ok("The refund, which has ended.", refundSchema),
		},
	}
}

// decisionRequest is what decide reads of every decision.
var decisionRequest = taken("Decision", "A decision about a refund.",
	may("message", anyText(noteMax, "The hat was kept after all"), "Why."),
	may("group", anyFlag(true), "It is about the refunds, too, that were opened with this one."),
)

var digestRequest = may("digest", anyIdentifier("9f86d081884c7d659a2feaa0c55ad015"), "Of the refund, as it was seen.")

// The forms of other decisions.
var (
	approvalRequest  = taken("ApprovalRequest", "A yes to a refund that waits for approval.", digestRequest)
	rejectionRequest = taken("RejectionRequest", "A no to a refund that waits for approval.",
		may("message", anyText(noteMax, "There is no receipt"), "Why."), digestRequest,
	)
	nudgeRequest = taken("NudgeRequest", "It has no members.")
)

var settleable = []payment.RefundStatus{payment.RefundSucceeded, payment.RefundFailed}

// settlementRequest is what settles.
var settlementRequest = taken("Settlement", "What became of a refund, on evidence.",
	must("to", &openapi.Schema{Type: openapi.String, Words: wordsOf(settleable...), Example: "succeeded"},
		"`failed`: no money moved."),
	must("evidence", &openapi.Schema{
		Type: openapi.String, LengthMin: 1, LengthMax: noteMax, Pattern: `\S`, Example: "The bank's statement of March 2",
	}, "Why that is so."),
	may("references", &openapi.Schema{
		Type: openapi.Array, ItemsMax: referencesMax, Example: []any{map[string]any{"kind": "arn", "value": "7453"}},
		Items: taken("ReferenceRequest", "How another party calls something.", referenceMembers...),
	}, "With a success: how it is called elsewhere."),
)

// referencesMax is more than a refund has names.
const referencesMax = 16

var referenceMembers = []openapi.Member{
	must("kind", neededText(nameMax, "arn"), "As in `arn`, `rrn`, `fps`."), must("value", neededText(nameMax, "7453"), ""),
}

// decision is what somebody has decided about a refund.
type decision struct {
	message    string
	isGroup    bool           // it is about those that were opened with it, too
	digest     payment.Digest // of what was seen
	to         payment.RefundStatus
	evidence   string
	references []payment.Reference
}

// decodeDecision reads a decision: what its form has not is not taken.
func decodeDecision(in object, form *openapi.Schema) decision {
	in.only(form.Members)
	if form != settlementRequest {
		return decision{
			message: in.text("message", noteMax), digest: payment.Digest(in.identifier("digest")), isGroup: in.flag("group"),
		}
	}
	d := decision{to: payment.RefundStatus(in.word("to", wordsOf(settleable...)...)), evidence: in.required("evidence", noteMax)}
	if !in.value.Get("to").IsGiven() {
		in.wrong("to", "is required")
	}
	if d.evidence != "" && strings.TrimSpace(d.evidence) == "" {
		in.wrong("evidence", "must say something")
	}
	for _, each := range in.objects("references", referencesMax) {
		each.only(referenceMembers)
		reference := payment.Reference{Kind: each.required("kind", nameMax), Value: each.identifier("value")}
		if reference.Value == "" {
			each.wrong("value", "is required")
		}
		d.references = append(d.references, reference)
	}
	return d
}

// digestOf is what the key of a decision stands for. What came later must leave
// the digests of older requests as they were.
func (d decision) digestOf(verb string, refund payment.RefundID) *wire.Digest {
	sum := new(wire.Digest).Text(verb).Bytes(refund[:]).Text(d.message)
	if d.digest != "" {
		sum.Text(string(d.digest))
	}
	if d.isGroup {
		sum.Text("group")
	}
	if d.to != "" {
		sum.Text(string(d.to)).Text(d.evidence)
		for _, reference := range d.references {
			sum.Text(reference.Kind).Text(reference.Value)
		}
	}
	return sum
}

// decide runs a command about a refund that is there.
func (a *API) decide(w http.ResponseWriter, r *http.Request, caller auth.Identity, verb string, form *openapi.Schema,
	command func(payment.Meta, payment.Refund, decision) payment.Command,
) error {
	key, err := idempotencyKey(r)
	if err != nil {
		return err
	}
	in, err := a.read(w, r)
	if err != nil {
		return err
	}
	decided := decodeDecision(in, form)
	if err := in.err(); err != nil {
		return err
	}
	refund, err := a.refundNamed(r.Context(), caller, r.PathValue("id"))
	if err != nil {
		return err
	}
	m := meta(r, caller)
	m.Key = keyOf(m.Tenant, keyScope, key, decided.digestOf(verb, refund.ID))
	answer, replayed, err := a.do(r.Context(), command(m, refund, decided))
	if err != nil {
		return err
	}
	if decided.isGroup {
		writeGroup(w, http.StatusOK, replayed, answer)
	} else {
		write(w, http.StatusOK, replayed, refundJSON(answer.Refund))
	}
	return nil
}

// cancelRefund stops a refund that has not left.
func (a *API) cancelRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "cancel", decisionRequest,
		func(m payment.Meta, refund payment.Refund, d decision) payment.Command {
			return payment.CancelRefund{
				Meta: m, Payment: refund.Payment, Refund: refund.ID, Code: "canceled", Message: d.message,
				Group: d.isGroup,
			}
		})
}

// approveRefund agrees to a refund that waits for approval.
func (a *API) approveRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "approve", approvalRequest,
		func(m payment.Meta, refund payment.Refund, d decision) payment.Command {
			return payment.ApproveRefund{Meta: m, Payment: refund.Payment, Refund: refund.ID, Digest: d.digest}
		})
}

// rejectRefund says no to a refund that waits for approval.
func (a *API) rejectRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "reject", rejectionRequest,
		func(m payment.Meta, refund payment.Refund, d decision) payment.Command {
			return payment.RejectRefund{Meta: m, Payment: refund.Payment, Refund: refund.ID, Digest: d.digest, Message: d.message}
		})
}

// inquireRefund lets the processor be asked about a refund once more.
func (a *API) inquireRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "inquire", nudgeRequest,
		func(m payment.Meta, refund payment.Refund, _ decision) payment.Command {
			return payment.InquireRefund{Meta: m, Payment: refund.Payment, Refund: refund.ID}
		})
}

// resendRefund lets a refund that needs review be sent once more.
func (a *API) resendRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "resend", nudgeRequest,
		func(m payment.Meta, refund payment.Refund, _ decision) payment.Command {
			return payment.ResendRefund{Meta: m, Payment: refund.Payment, Refund: refund.ID}
		})
}

// settleRefund says, on evidence, what became of a refund that needs review.
func (a *API) settleRefund(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	return a.decide(w, r, caller, "settle", settlementRequest,
		func(m payment.Meta, refund payment.Refund, d decision) payment.Command {
			return payment.SettleRefund{
				Meta: m, Payment: refund.Payment, Refund: refund.ID, To: d.to, Evidence: d.evidence, References: d.references,
			}
		})
}
