package sandbox

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/processor"
)

// Name is a behavior of the sandbox, as people ask for it.
type Name string

// The behaviors of a refund.
const (
	Succeeded   Name = "SUCCEEDED"    // at once, or after the configured delay
	Declined    Name = "DECLINED"     // the final no
	Failed      Name = "FAILED"       // final, no money moved
	Pending     Name = "PENDING"      // stays pending
	Slow        Name = "SLOW"         // pending, succeeds after 3 s
	TimeoutDone Name = "TIMEOUT_DONE" // no answer, but money moved
	TimeoutLost Name = "TIMEOUT_LOST" // no answer, and nothing arrived
	Returned    Name = "RETURNED"     // succeeds, then the money comes back
	Noisy       Name = "NOISY"        // inbound webhooks doubled and out of order
	Chargeback  Name = "CHARGEBACK"   // a chargeback opens while the refund is on its way
)

// Names lists every behavior of a refund.
var Names = []Name{
	Succeeded, Declined, Failed, Pending, Slow, TimeoutDone, TimeoutLost, Returned, Noisy, Chargeback,
}

func (n Name) isKnown() bool { return slices.Contains(Names, n) }

// byDigits says what amounts that end in these four digits come to.
var byDigits = map[int64]Name{
	9001: Declined, 9002: Failed, 9003: Pending, 9004: Slow, 9005: TimeoutDone,
	9006: TimeoutLost, 9007: Returned, 9008: Noisy, 9009: Chargeback,
}

// takeName is a behavior of a payment, asked for by a text in it: card numbers,
// by which others choose, are kept nowhere.
type takeName string

const (
	paymentDeclined takeName = "PAYMENT_DECLINED"
	paymentFailed   takeName = "PAYMENT_FAILED"
)

var takeNames = []takeName{paymentDeclined, paymentFailed}

const (
	slowPause       = 3 * time.Second // domain time
	bouncePause     = time.Second     // between a success and its return
	chargebackPause = time.Second     // between a chargeback and the refund's own end
)

// trigger is how a behavior is asked for in any free text.
var trigger = regexp.MustCompile(`refundry:([A-Z_]+)`)

// asked returns the first of these behaviors that a text asks for, in the
// order of the texts; empty if none does. A text may hold anything else beside it.
func asked[S ~string](behaviors []S, texts ...string) S {
	for _, text := range texts {
		for _, found := range trigger.FindAllStringSubmatch(text, -1) {
			if slices.Contains(behaviors, S(found[1])) {
				return S(found[1])
			}
		}
	}
	return ""
}

// choose returns what happens to a refund for which there is no plan: a text
// of the refund says, else a text of its payment, else the amount's last four digits.
func choose(request processor.Request) Name {
	r, p := request.Refund, request.Payment
	if name := asked(Names, r.Message, r.Note, r.Reason, r.Reference, r.OrderReference, r.Metadata,
		p.Description, p.Reference, p.Metadata); name != "" {
		return name
	}
	if name, ok := byDigits[int64(r.Amount.Minor)%10_000]; ok {
		return name
	}
	return Succeeded
}

// state is where an attempt is, in the sandbox's own record.
type state string

const (
	statePending   state = "pending"
	stateSucceeded state = "succeeded"
	stateDeclined  state = "declined"
	stateFailed    state = "failed"
	stateLost      state = "lost" // it never arrived
)

// begin returns what the record keeps of a new attempt, and what will be told
// of it by itself.
func (s *Sandbox) begin(request processor.Request, name Name, now time.Time) (attempt, []notice) {
	a := attempt{
		Tenant: request.Tenant, ID: request.Attempt, Refund: request.Refund.ID, Payment: request.Payment.ID,
		Connector: request.Connector, Amount: request.Refund.Amount.Minor, Name: name, State: stateSucceeded, Moved: 1,
	}
	at := func(due time.Time, kind noticeKind) notice {
		return notice{ID: s.config.NewID(), Attempt: a, Kind: kind, Due: due}
	}
	wait := func(due time.Time) { a.State, a.Moved, a.Due = statePending, 0, due }
	switch name {
	case Declined:
		a.State, a.Moved = stateDeclined, 0
	case Failed:
		a.State, a.Moved = stateFailed, 0
	case Pending:
		wait(time.Time{})
	case Slow:
		wait(now.Add(slowPause))
		return a, []notice{at(a.Due, noticeSucceeded)}
	case TimeoutLost:
		a.State, a.Moved = stateLost, 0
	case Returned:
		return a, []notice{at(now.Add(bouncePause), noticeReturned)}
	case Noisy:
		return a, []notice{
			at(now, noticeSucceeded), at(now, noticePending), at(now, noticeSucceeded), at(now, noticePending),
		}
	case Chargeback:
		wait(now.Add(chargebackPause))
		dispute := at(now, noticeDispute)
		dispute.Captured = request.Payment.Captured
		return a, []notice{dispute, at(a.Due, noticeSucceeded)}
	case TimeoutDone:
	case Succeeded:
		if s.config.Delay > 0 {
			wait(now.Add(s.config.Delay))
			return a, []notice{at(a.Due, noticeSucceeded)}
		}
	}
	return a, nil
}

// outcome is what a call answers about an attempt, by its state.
func (a attempt) outcome() payment.Outcome {
	outcome := payment.Outcome{ProcessorRef: "sbx_" + a.ID.UUID()}
	switch a.State {
	case statePending:
		outcome.Kind = payment.AttemptPending
	case stateSucceeded:
		outcome.Kind, outcome.ExecutedAs = payment.AttemptSucceeded, "refund"
		outcome.References = []payment.Reference{{Kind: "arn", Value: digits(a.ID[:], 23)}}
	case stateDeclined:
		outcome.Kind = payment.AttemptDeclined
		outcome.Failure = payment.Failure{Code: "declined", Message: "the issuer declined", ProcessorCode: "05"}
	case stateFailed:
		outcome.Kind = payment.AttemptFailed
		outcome.Failure = payment.Failure{
			Code: "processor_error", Message: "the processor could not carry it out", ProcessorCode: "96", IsRetryable: true,
		}
	case stateLost:
		outcome.Kind = payment.AttemptUnknown
	}
	return outcome
}

// returned is the outcome of a refund whose money came back.
func (a attempt) returned() payment.Outcome {
	return payment.Outcome{
		Kind: payment.AttemptReturned, ProcessorRef: "sbx_" + a.ID.UUID(),
		Failure: payment.Failure{Code: "account_closed", Message: "the payer's account was closed", ProcessorCode: "AC04"},
	}
}

// digits returns decimal digits that follow from an id, the same each time.
func digits(id []byte, count int) string {
	var text string
	for n := byte(0); len(text) < count; n++ {
		sum := sha256.Sum256(append([]byte{n}, id...))
		text += fmt.Sprintf("%019d", binary.BigEndian.Uint64(sum[:8])>>1)
	}
	return text[:count]
}

// takenReferences is what a capture is called outside: a retrieval reference
// number, an authorization code, an FPS message id of 32 characters.
func takenReferences(id payment.PaymentID) []payment.Reference {
	sum := sha256.Sum256(id[:])
	return []payment.Reference{
		{Kind: "rrn", Value: digits(id[:], 12)},
		{Kind: "auth_code", Value: digits(id[8:], 6)},
		{Kind: "fp_message_id", Value: hex.EncodeToString(sum[:16])},
	}
}
