package storetest

import (
	"testing"

	"github.com/refundry/refundry/internal/batch"
	"github.com/refundry/refundry/internal/payment"
)

var nameTests = map[string]func(*testing.T, Open){
	"who asked and agreed is kept sealed, and erased": testNamesSealed,
	"names of older versions are erased too":          testNamesOfBefore,
	"without keys nobody is named":                    testNamesLost,
	"on whose behalf a batch runs is kept sealed":     testBatchName,
}

// namedRefund makes a refund that one person has asked for, of which another says what
// became of it, after a third has agreed.
func (b *bundle) namedRefund(t *testing.T) payment.Refund {
	t.Helper()
	b.set(t, map[string]any{payment.PolicyApprovalAbove.Name: int64(1)})
	of := b.capture(t, 900).ID
	refund := b.do(t, payment.OpenRefund{Meta: b.as(mark, home), Payment: of, Ask: payment.Ask{Amount: 5}}).Refund
	agrees := b.as("bob", home)
	agrees.Actor = "key:other"
	b.do(t, payment.ApproveRefund{Meta: agrees, Payment: of, Refund: refund.ID})
	b.leave(t, refund)(payment.AttemptUnknown)
	b.do(t, payment.FlagRefund{Meta: b.meta(), Payment: of, Refund: refund.ID})
	settles := b.as(mark, "")
	settles.Actor = "operator:test"
	return b.do(t, payment.SettleRefund{
		Meta: settles, Payment: of, Refund: refund.ID, To: payment.RefundFailed, Evidence: "the bank says so",
	}).Refund
}

// wantNames reads a refund in each way, and compares whom it names.
func (b *bundle) wantNames(t *testing.T, of payment.Refund, user, approver string) {
	t.Helper()
	view := b.view(t, of.Payment)
	listed, err := b.store.ListRefunds(t.Context(), b.tenant, payment.RefundFilter{Limit: 9})
	if err != nil || len(listed) != 1 {
		t.Fatalf("%d refunds: %v", len(listed), err)
	}
	ann, bob := payment.PersonOf(b.tenant, mark), payment.PersonOf(b.tenant, "bob")
	for _, r := range []payment.Refund{view.Refunds[0], listed[0]} {
		if r.User != user || r.Evidence[0].User != user || r.Approvals[0].User != approver {
			t.Errorf("named are %q, %q, %q", r.User, r.Evidence[0].User, r.Approvals[0].User)
		}
		if r.Person != ann || r.Evidence[0].Person != ann || r.Approvals[0].Person != bob {
			t.Errorf("persons are %s, %s, %s", r.Person, r.Evidence[0].Person, r.Approvals[0].Person)
		}
	}
}

func testNamesSealed(t *testing.T, open Open) {
	b := setup(t, open)
	refund := b.namedRefund(t)
	b.wantNames(t, refund, mark, "bob")
	wantSame(t, "as it was answered", b.view(t, refund.Payment).Refunds[0], refund)
	b.wantNoMark(t, "before the person is erased")
	b.mustErase(t, mark)
	b.wantNames(t, refund, "", "bob")
	b.do(t, payment.ErasePayment{Meta: b.as(mark, home), Payment: refund.Payment}) // writes the refund again
	b.wantNames(t, refund, "", "bob")
	again := b.do(t, payment.OpenRefund{Meta: b.as(mark, home), Payment: refund.Payment, Ask: payment.Ask{Amount: 5}}).Refund
	if kept := b.view(t, refund.Payment).Refunds[1]; kept.User != "" || kept.Person != again.Person || kept.Person.IsZero() {
		t.Errorf("who was erased asks, and is kept as %q, %s", kept.User, kept.Person)
	}
	b.wantNoMark(t, "in the end")
	b.wantClean(t)
}

func testNamesOfBefore(t *testing.T, open Open) {
	b := setup(t, open)
	refund := b.namedRefund(t)
	other := b.capture(t, 900)
	b.damage(t, `UPDATE refund SET persons = NULL, detail = '{"user":"`+mark+`","note":"stays","approvals_needed":1,"approvals":[{"User":"bob"}],
		"evidence":[{"User":"`+mark+`"}]}'`)
	b.wantNames(t, refund, mark, "bob")
	b.mustErase(t, mark)
	b.wantNames(t, refund, "", "bob")
	b.wantNoMark(t, "erased")
	if kept := b.view(t, refund.Payment).Refunds[0]; kept.ApprovalsNeeded != 1 || kept.Note == "" {
		t.Errorf("what is no name is gone: %+v", kept)
	}
	b.do(t, payment.OpenRefund{Meta: b.meta(), Payment: other.ID, Ask: payment.Ask{Amount: 1}})
}

func testNamesLost(t *testing.T, open Open) {
	b := setup(t, open)
	refund := b.namedRefund(t)
	b.damage(t, `DELETE FROM personal_key`)
	b.wantNames(t, refund, "", "")
	b.do(t, payment.DocumentPayment{Meta: b.meta(), Payment: refund.Payment, Document: []byte("{}")})
	b.wantNames(t, refund, "", "")
}

func testBatchName(t *testing.T, open Open) {
	b := setup(t, open)
	is := b.batchOf(t)
	is.Status, is.StartedBy, is.StartedFor = batch.Running, "key:test", mark
	is = b.putBatch(t, is)
	b.wantBatch(t, is)
	b.wantNoMark(t, "while it runs")
	b.damage(t, `UPDATE batch SET started_for = '`+mark+`', personal = NULL`)
	b.wantBatch(t, is)
	is = b.putBatch(t, is)
	b.damage(t, `UPDATE batch SET personal = NULL`)
	is.StartedFor = ""
	b.wantBatch(t, is) // written again, it is not in the clear
	is.Status = batch.Done
	is = b.putBatch(t, is)
	b.wantBatch(t, is)
	if b.hasKey(t, is) {
		t.Error("its key outlives it")
	}
}
