package processor_test

import (
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// take makes a payment that the sandbox takes.
func (w *world) take(with payment.CreatePayment) payment.Payment {
	w.t.Helper()
	with.Meta, with.Status, with.IsTaken, with.Amount = w.meta(), payment.PaymentCreated, true, euros(1000)
	if with.Connector == "" {
		with.Connector = connector
	}
	return w.do(with).View.Payment
}

func (w *world) payment(id payment.PaymentID) payment.Payment {
	w.t.Helper()
	view, err := w.store.View(w.t.Context(), w.tenant, id)
	if err != nil {
		w.t.Fatal(err)
	}
	return view.Payment
}

// A payment is captured at once, unless a text in it says otherwise.
func TestTake(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{})
	for name, row := range map[string]struct {
		with payment.CreatePayment
		want payment.PaymentStatus
	}{
		"plain":       {payment.CreatePayment{}, payment.PaymentCaptured},
		"declined":    {payment.CreatePayment{Description: "refundry:PAYMENT_DECLINED"}, payment.PaymentDeclined},
		"failed":      {payment.CreatePayment{Metadata: `{"x":"refundry:PAYMENT_FAILED"}`}, payment.PaymentFailed},
		"of a refund": {payment.CreatePayment{Description: "refundry:DECLINED"}, payment.PaymentCaptured},
	} {
		t.Run(name, func(t *testing.T) {
			w := *w
			w.t = t
			p := w.take(row.with)
			w.until("it ends", 0, func() bool { return w.payment(p.ID).Status == row.want })
			names := map[string]int{}
			for _, reference := range w.payment(p.ID).References {
				names[reference.Kind] = len(reference.Value)
			}
			isCaptured := row.want == payment.PaymentCaptured
			if isCaptured && (names["rrn"] != 12 || names["auth_code"] != 6 || names["fp_message_id"] != 32) {
				t.Errorf("lengths of references: %v", names)
			}
			if !isCaptured && len(names) > 0 {
				t.Errorf("references of nothing: %v", names)
			}
		})
	}
}

// Nobody waits for a processor that takes no payments.
func TestTakeByNobody(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{processor: &company{refunds: always(done, nil)}})
	p := w.take(payment.CreatePayment{})
	elsewhere := w.take(payment.CreatePayment{Connector: "elsewhere"})
	w.until("nothing is left to do", 0, func() bool { return w.isQuiet(payment.TaskTakePayment) })
	for _, id := range []payment.PaymentID{p.ID, elsewhere.ID} {
		if got := w.payment(id).Status; got != payment.PaymentCreated {
			t.Errorf("it is %s", got)
		}
	}
}

// A payment waits at a gate for exactly as long as it may.
func TestExpire(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{})
	within := payment.Gate{Kind: payment.GateConfirmation, Within: time.Hour}
	p := w.take(payment.CreatePayment{Gates: []payment.Gate{within}})
	waits := func() bool { return w.payment(p.ID).WaitsAt() == payment.GateConfirmation }
	w.until("it waits", 0, waits)
	w.advance(time.Hour - time.Microsecond)
	if !waits() {
		t.Fatalf("it is %s too early", w.payment(p.ID).Status)
	}
	w.advance(time.Microsecond)
	w.until("it expires", 0, func() bool { return w.payment(p.ID).Status == payment.PaymentExpired })

	passed := w.take(payment.CreatePayment{Gates: []payment.Gate{within}})
	w.until("it waits", 0, func() bool { return w.payment(passed.ID).WaitsAt() == payment.GateConfirmation })
	w.do(payment.PassGate{Meta: w.meta(), Payment: passed.ID, Gate: payment.GateConfirmation})
	w.until("it is captured", 0, func() bool { return w.payment(passed.ID).Status == payment.PaymentCaptured })
	w.advance(2 * time.Hour)
	w.until("nothing is left to do", 0, func() bool { return w.isQuiet(payment.TaskExpirePayment) })
	if got := w.payment(passed.ID).Status; got != payment.PaymentCaptured {
		t.Errorf("it is %s", got)
	}
}

// A scheduled refund leaves when its time has come, and not before.
func TestScheduledRefund(t *testing.T) {
	t.Parallel()
	w := start(t, wanted{})
	r := w.do(payment.OpenRefund{
		Meta: w.meta(), Payment: w.pay(1000).ID, Ask: payment.Ask{How: payment.AskRemaining},
		NotBefore: w.clock.Now().Add(time.Hour),
	}).Refund
	w.advance(time.Hour - time.Microsecond)
	if _, now := w.see(r.ID); now.Status != payment.RefundScheduled {
		t.Fatalf("it is %s too early", now.Status)
	}
	w.advance(time.Microsecond)
	w.untilStatus(r.ID, payment.RefundSucceeded, 0)
	view, _ := w.see(r.ID)
	w.checkBooks(view)
}
