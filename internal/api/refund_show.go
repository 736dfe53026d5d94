package api

import (
	"github.com/refundry/refundry/internal/openapi"
	"github.com/refundry/refundry/internal/payment"
)

// refundSchema is what showRefund writes.
var refundSchema = shown("Refund", "Captured money on its way back to the payer.", refundMembers...)

// refundMembers are what showMembers writes.
var refundMembers = []openapi.Member{
	must("id", refundID, ""),
	must("payment", paymentID, ""),
	must("amount", someAmount, ""),
	must("currency", someCurrency, ""),
	must("status", refundStatusSchema, ""),
	may("pending_reason", someWord("PendingReason", "Why a refund has not ended. `approval`: somebody must agree. `scheduled`: "+
		"it waits for its time. `halted`: a policy has stopped refunds. `not_sent`: it has not left yet. `processor`: the "+
		"processor has it. `outcome_unknown`: it left, and we ask until we know.",
		payment.PendingApproval, payment.PendingSchedule, payment.PendingHalted, payment.PendingNotSent,
		payment.PendingProcessor, payment.PendingResolution), ""),
	may("reason", someText, "Why the money goes back."),
	may("note", someText, "For the merchant's own records."),
	may("message", someText, "For the payer."),
	may("reference", someText, "What the merchant calls the refund."),
	may("order_reference", someText, "What the merchant calls the order."),
	may("metadata", someMetadata, ""),
	may("items", listOf(refundLineSchema), "How the amount falls on line items. Absent: the payment has none."),
	must("source", someWord("RefundSource", "Where a refund came from.",
		refundSources...), ""),
	must("door", someDoor, "The front door that asked for it."),
	may("user", someText, "On whose behalf it was asked for. Absent: nobody was named, or the person was erased."),
	may("person", personID, "Of the same person. Absent: nobody was named."),
	may("group", groupID, "Of refunds that were opened together. Absent: it was opened alone."),
	may("batch", batchID, "Which asked for it. Absent: it was asked for alone, or before batches were noted."),
	may("batch_row", someCount, "The number of the batch's row."),
	may("capture", captureID, "Which it gives back. Absent: it names none."),
	may("not_before", someTime, "It waits until then."),
	may("submitted_at", someTime, "When it left. Absent: it has not, and can be canceled."),
	may("expected_by", someTime, "When it should have arrived. Absent: it has not left, or nobody says."),
	may("is_stuck", someFlag, "`true`: it is on its way for longer than expected."),
	may("ended_at", someTime, "When it reached its outcome."),
	may("failure", failureSchema, "Why it did not happen."),
	may("references", listOf(referenceSchema), "What others call it."),
	may("executed_as", someText, "`refund` or `void`, once the processor has said."),
	may("retry_of", refundID, "It gives back once more what that one did not."),
	may("corrects", refundID, "That one was taken for failed, and had succeeded."),
	may("approvals_needed", someCount, "How many must agree."),
	may("digest", someDigest, "Of what it asks for: who approves it says which digest was seen."),
	may("expires_at", someTime, "Without enough approvals by then it is canceled."),
	may("approvals", listOf(shown("Approval", "Somebody's yes.",
		must("actor", someText, ""),
		may("user", someText, "On whose behalf. Absent: nobody was named, or the person was erased."),
		may("person", personID, "Of the same person."),
		may("digest", someDigest, "What was seen."),
		must("at", someTime, ""),
	)), ""),
	may("evidence", listOf(shown("Evidence", "Why a person has said what became of a refund.",
		must("actor", someText, ""),
		may("user", someText, "On whose behalf. Absent: nobody was named, or the person was erased."),
		may("person", personID, "Of the same person."),
		must("note", someText, ""),
		must("at", someTime, ""),
	)), "Absent: no person had to."),
	may("needs_review", someFlag, "`true`: its outcome is still not known, and a person must look."),
	must("created_at", someTime, ""),
	must("updated_at", someTime, ""),
	must("version", someVersion, ""),
}

var refundStatusSchema = someWord("RefundStatus", "Where a refund is in its life. `unknown`: it left, and its outcome is not "+
	"known yet; we ask until it is. `declined`, `failed`, `canceled`, `returned`: the amount is refundable again.",
	payment.RefundStatuses...)

var refundLineSchema = shown("RefundLine", "The part of a refund that falls on one line item.",
	must("position", someCount, ""),
	may("quantity", someCount, "Absent: the refund named an amount."),
	must("amount", someAmount, ""),
	must("tax", someAmount, "The part of the amount that is tax."),
	may("merchant", someText, "Who pays for it. Absent: the payment's merchant."),
)

var failureSchema = shown("Failure", "Why a refund did not happen.",
	may("code", someText, ""),
	may("message", someText, ""),
	may("processor_code", someText, "The processor's own."),
	must("retryable", someFlag, "Whether a new refund may work."),
)

// refundJSON returns a refund as callers see it.
func refundJSON(r payment.Refund) []byte {
	w := newWriter()
	showRefund(w, "", r)
	return w.text
}

// showRefund writes a refund.
func showRefund(w *writer, name string, r payment.Refund) {
	w.begin(name)
	showRefundMembers(w, r)
	w.end()
}

// showRefundMembers writes what is known of a refund. Everything in it can be
// told as of an earlier version, so that a replayed answer and a webhook are
// what they were.
func showRefundMembers(w *writer, r payment.Refund) {
	named(w, "id", r.ID)
	named(w, "payment", r.Payment)
	w.number("amount", int64(r.Amount.Minor))
	w.string("currency", string(r.Amount.Currency))
	w.string("status", string(r.Status))
	w.maybe("pending_reason", string(r.PendingReason))
	showRefundTexts(w, r)
	showLines(w, r.Lines)
	w.string("source", string(r.Source))
	w.string("door", string(r.Door))
	w.maybe("user", r.User)
	named(w, "person", r.Person)
	named(w, "group", r.Group)
	if !r.Batch.IsZero() {
		named(w, "batch", r.Batch)
		w.number("batch_row", r.BatchRow)
	}
	named(w, "capture", r.Capture)
	w.time("not_before", r.NotBefore)
	w.time("submitted_at", r.SubmittedAt)
	w.time("expected_by", r.ExpectedBy)
	if r.IsStuck() {
		w.flag("is_stuck", true)
	}
	w.time("ended_at", r.EndedAt())
	showFailure(w, r.Failure)
	showReferences(w, r.References)
	w.maybe("executed_as", r.ExecutedAs)
	named(w, "retry_of", r.RetryOf)
	named(w, "corrects", r.Corrects)
	showApprovals(w, r)
	showEvidence(w, r.Evidence)
	if r.NeedsReview() {
		w.flag("needs_review", true)
	}
	w.time("created_at", r.CreatedAt)
	w.time("updated_at", r.UpdatedAt)
	w.number("version", r.Version)
}

func showRefundTexts(w *writer, r payment.Refund) {
	w.maybe("reason", r.Reason)
	w.maybe("note", r.Note)
	w.maybe("message", r.Message)
	w.maybe("reference", r.Reference)
	w.maybe("order_reference", r.OrderReference)
	w.raw("metadata", r.Metadata)
}

func showLines(w *writer, lines []payment.RefundLine) {
	if len(lines) == 0 {
		return
	}
	w.beginList("items")
	for _, line := range lines {
		w.begin("")
		w.number("position", int64(line.Position))
		if line.Quantity > 0 {
			w.number("quantity", line.Quantity)
		}
		w.number("amount", int64(line.Amount))
		w.number("tax", int64(line.Tax))
		w.maybe("merchant", line.Merchant)
		w.end()
	}
	w.endList()
}

func showFailure(w *writer, f payment.Failure) {
	if f == (payment.Failure{}) {
		return
	}
	w.begin("failure")
	w.maybe("code", f.Code)
	w.maybe("message", f.Message)
	w.maybe("processor_code", f.ProcessorCode)
	w.flag("retryable", f.IsRetryable)
	w.end()
}

func showReferences(w *writer, references []payment.Reference) {
	if len(references) == 0 {
		return
	}
	w.beginList("references")
	for _, reference := range references {
		w.begin("")
		w.string("kind", reference.Kind)
		w.string("value", reference.Value)
		w.end()
	}
	w.endList()
}

func showApprovals(w *writer, r payment.Refund) {
	if r.ApprovalsNeeded == 0 {
		return
	}
	w.number("approvals_needed", int64(r.ApprovalsNeeded))
	w.string("digest", string(r.Digest()))
	if r.Status == payment.RefundAwaitingApproval {
		w.time("expires_at", r.ExpiresAt)
	}
	w.beginList("approvals")
	for _, approval := range r.Approvals {
		w.begin("")
		w.string("actor", approval.Actor)
		w.maybe("user", approval.User)
		named(w, "person", approval.Person)
		w.maybe("digest", string(approval.Digest))
		w.time("at", approval.At)
		w.end()
	}
	w.endList()
}

func showEvidence(w *writer, all []payment.Evidence) {
	if len(all) == 0 {
		return
	}
	w.beginList("evidence")
	for _, evidence := range all {
		w.begin("")
		w.string("actor", evidence.Actor)
		w.maybe("user", evidence.User)
		named(w, "person", evidence.Person)
		w.string("note", evidence.Note)
		w.time("at", evidence.At)
		w.end()
	}
	w.endList()
}
