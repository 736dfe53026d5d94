// Package processortest is the contract of a processor adapter: one suite that
// every adapter passes, against its company's sandbox or a recording of it.
package processortest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Subject is an adapter under test.
type Subject struct {
	Processor processor.Processor
	// Request returns a request with a fresh attempt, which the company accepts.
	Request func() processor.Request
	// Moved returns how often money moved for an attempt; nil if nobody can tell.
	Moved func(attempt payment.AttemptID) int
}

// promptly is how soon an adapter must let go when its caller does.
const promptly = 5 * time.Second

// Run runs the contract. open is called once for each claim.
func Run(t *testing.T, open func(t *testing.T) Subject) {
	t.Helper()
	tests := map[string]func(*testing.T, Subject){
		"its capabilities can be relied on":           testCapabilities,
		"a refund is answered in words that we know":  testAnswer,
		"one attempt is one refund":                   testOneAttempt,
		"one attempt at the same time is one refund":  testAtTheSameTime,
		"two attempts are two refunds":                testTwoAttempts,
		"an attempt is found by asking":               testInquire,
		"an attempt that never arrived is not found":  testNotFound,
		"an ended context ends the call without a no": testEndedContext,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func testCapabilities(t *testing.T, s Subject) {
	can := s.Processor.Capabilities()
	if can.Timeout <= 0 {
		t.Error("a call without a limit would hold its lease for ever")
	}
	if can.Settling < 0 || can.KeyLifetime < 0 {
		t.Errorf("negative times: %+v", can)
	}
	if can.Idempotency != processor.IdempotencyNone && can.Idempotency != processor.IdempotencyKey {
		t.Errorf("unknown kind of idempotency: %q", can.Idempotency)
	}
	if again := s.Processor.Capabilities(); again != can {
		t.Errorf("capabilities changed from %+v to %+v", can, again)
	}
}

func testAnswer(t *testing.T, s Subject) {
	outcome, err := s.Processor.Refund(t.Context(), s.Request())
	if err != nil {
		t.Fatal(err)
	}
	switch outcome.Kind {
	case payment.AttemptSucceeded, payment.AttemptPending:
		if outcome.ProcessorRef == "" {
			t.Error("nobody could find the refund in a report")
		}
	case payment.AttemptDeclined, payment.AttemptFailed, payment.AttemptNotSent:
		t.Errorf("the request was not accepted: %+v", outcome)
	case payment.AttemptOpen, payment.AttemptUnknown, payment.AttemptReturned:
		t.Errorf("%s is no answer", outcome.Kind)
	default:
		t.Errorf("%q is no word of ours", outcome.Kind)
	}
}

// needsKey skips what only holds where a resend is safe.
func needsKey(t *testing.T, s Subject) {
	t.Helper()
	if s.Processor.Capabilities().Idempotency != processor.IdempotencyKey {
		t.Skip("the processor knows no keys")
	}
}

func testOneAttempt(t *testing.T, s Subject) {
	needsKey(t, s)
	request := s.Request()
	first := refund(t, s, request)
	second := refund(t, s, request)
	if first.ProcessorRef != second.ProcessorRef {
		t.Errorf("two refunds: %q and %q", first.ProcessorRef, second.ProcessorRef)
	}
	movedOnceAtMost(t, s, request)
}

func testAtTheSameTime(t *testing.T, s Subject) {
	needsKey(t, s)
	request := s.Request()
	var calls sync.WaitGroup
	refs := make(chan string, 8)
	for range cap(refs) {
		calls.Go(func() {
			outcome, err := s.Processor.Refund(t.Context(), request)
			if err == nil { // an error only means that nobody knows
				refs <- outcome.ProcessorRef
			}
		})
	}
	calls.Wait()
	close(refs)
	seen := map[string]bool{}
	for ref := range refs {
		seen[ref] = true
	}
	if len(seen) > 1 {
		t.Errorf("%d refunds", len(seen))
	}
	movedOnceAtMost(t, s, request)
}

func testTwoAttempts(t *testing.T, s Subject) {
	if first, second := refund(t, s, s.Request()), refund(t, s, s.Request()); first.ProcessorRef == second.ProcessorRef {
		t.Errorf("both are called %q", first.ProcessorRef)
	}
}

func testInquire(t *testing.T, s Subject) {
	inquirer := inquirerOf(t, s)
	request := s.Request()
	told := refund(t, s, request)
	found, err := inquirer.Inquire(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	if found.ProcessorRef != told.ProcessorRef {
		t.Errorf("found %q, was told %q", found.ProcessorRef, told.ProcessorRef)
	}
	if told.Kind.IsResolved() && found.Kind != told.Kind {
		t.Errorf("found %s, was told %s", found.Kind, told.Kind)
	}
}

func testNotFound(t *testing.T, s Subject) {
	inquirer := inquirerOf(t, s)
	request := s.Request()
	if outcome, err := inquirer.Inquire(t.Context(), request); !errors.Is(err, processor.ErrNotFound) {
		t.Errorf("found %+v, %v", outcome, err)
	}
	if s.Moved != nil && s.Moved(request.Attempt) != 0 {
		t.Error("a question moved money")
	}
}

func testEndedContext(t *testing.T, s Subject) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	done := make(chan struct{})
	go func() {
		defer close(done)
		outcome, err := s.Processor.Refund(ctx, s.Request())
		if err == nil && (outcome.Kind == payment.AttemptDeclined || outcome.Kind == payment.AttemptFailed) {
			t.Errorf("%s, although nobody said no", outcome.Kind)
		}
	}()
	select {
	case <-done:
	case <-time.After(promptly):
		t.Error("the call goes on although nobody waits")
	}
}

func inquirerOf(t *testing.T, s Subject) processor.Inquirer {
	t.Helper()
	inquirer, ok := s.Processor.(processor.Inquirer)
	if !ok {
		t.Skip("the processor cannot be asked")
	}
	return inquirer
}

func refund(t *testing.T, s Subject, request processor.Request) payment.Outcome {
	t.Helper()
	outcome, err := s.Processor.Refund(t.Context(), request)
	if err != nil {
		t.Fatal(err)
	}
	return outcome
}

func movedOnceAtMost(t *testing.T, s Subject, request processor.Request) {
	t.Helper()
	if s.Moved == nil {
		return
	}
	if moved := s.Moved(request.Attempt); moved > 1 {
		t.Errorf("money moved %d times", moved)
	}
}
