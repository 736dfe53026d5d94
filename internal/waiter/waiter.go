// Package waiter lets a caller wait for a refund's outcome for a while, as
// CHIP's clients do. An outcome that is committed in time is the answer; else
// the refund is deferred, see [payment.DeferRefund], and told of later.
//
// Waiting costs one question to the store every 50 ms for all callers of a
// replica together; what this replica learns itself is heard at once.
package waiter

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// Engine is the one road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Store says what has become of refunds.
type Store interface {
	// Refunds returns refunds as they are now, in any order. What is not there is left out.
	Refunds(ctx context.Context, refs []payment.RefundRef) ([]payment.Refund, error)
	// View returns a payment with all its parts.
	View(ctx context.Context, tenant payment.TenantID, id payment.PaymentID) (payment.View, error)
}

// Config is what a waiter is made of.
type Config struct {
	Engine Engine
	Store  Store
	Now    func() time.Time // domain time
	Log    *slog.Logger
}

const (
	lookPause   = 50 * time.Millisecond // between two questions to the store
	lookTimeout = 5 * time.Second
)

// Waiter waits for outcomes. Make one with [New], and [Waiter.Run] it.
type Waiter struct {
	config Config

	mutex   sync.Mutex
	waiting map[payment.RefundRef]map[chan struct{}]bool
	more    chan struct{} // somebody has begun to wait
}

// New returns a waiter.
func New(config Config) *Waiter {
	return &Waiter{
		config: config, waiting: map[payment.RefundRef]map[chan struct{}]bool{}, more: make(chan struct{}, 1),
	}
}

// Open opens a refund and waits for its outcome, at most for patience (machine
// time). The answer shows the refund as it is then: ended, or deferred. A
// repeat of the key is answered at once. An error means that nothing was done,
// except [engine.ErrFateUnknown].
func (w *Waiter) Open(ctx context.Context, command payment.OpenRefund, patience time.Duration) (payment.Answer, error) {
	if patience > 0 {
		command.AnswerBy = w.config.Now().Add(patience)
	}
	answer, err := w.config.Engine.Do(job.Unheld(ctx), command)
	if err != nil || answer.Replayed != nil {
		return answer, err
	}
	ref := payment.RefundRef{Tenant: command.Tenant, ID: answer.Refund.ID}
	if answer.Refund.Status == payment.RefundPending && w.wait(ctx, ref, patience) {
		view, err := w.config.Store.View(ctx, ref.Tenant, command.Payment)
		if refund, ok := view.Refund(ref.ID); err == nil && ok && isOver(refund) {
			return payment.Answer{View: view, Refund: refund}, nil
		}
	}
	meta := command.Meta
	meta.Key = payment.Key{}
	// The caller may have gone; the refund is deferred all the same, as a job would.
	answer, err = w.config.Engine.Do(context.WithoutCancel(ctx), payment.DeferRefund{
		Meta: meta, Payment: command.Payment, Refund: ref.ID, Parts: command.Parts,
	})
	if err != nil { // the refund is there: an error that says that nothing was done would lie
		return answer, fmt.Errorf("%w: %w", engine.ErrFateUnknown, err)
	}
	return answer, nil
}

// Defer runs the job of a refund whose caller, or the replica it waited at, is gone.
func (w *Waiter) Defer(ctx context.Context, j job.Job) (job.Verdict, error) {
	_, err := w.config.Engine.Do(ctx, payment.DeferRefund{
		Meta: payment.Meta{Tenant: j.Tenant, Actor: "clock"}, Payment: j.Payment, Refund: j.Subject,
	}, j.Ref())
	if err != nil {
		return job.Verdict{}, err
	}
	return job.Ended(), nil
}

// isOver reports whether there is nothing left to wait for.
func isOver(r payment.Refund) bool { return !r.Status.IsRunning() || r.IsDeferred() }

// wait waits until a refund has ended or was deferred. It reports false when
// the patience or the caller is at an end.
func (w *Waiter) wait(ctx context.Context, ref payment.RefundRef, patience time.Duration) bool {
	if patience <= 0 {
		return false
	}
	heard := make(chan struct{})
	w.mutex.Lock()
	if w.waiting[ref] == nil {
		w.waiting[ref] = map[chan struct{}]bool{}
	}
	w.waiting[ref][heard] = true
	w.mutex.Unlock()
	defer w.leave(ref, heard)
	select {
	case w.more <- struct{}{}:
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-heard:
		return true
	case <-timer.C:
	case <-ctx.Done():
	}
	return false
}

func (w *Waiter) leave(ref payment.RefundRef, heard chan struct{}) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	delete(w.waiting[ref], heard)
	if len(w.waiting[ref]) == 0 {
		delete(w.waiting, ref)
	}
}

// Hear lets those who wait for a refund know what has become of it.
func (w *Waiter) Hear(r payment.Refund) {
	if !isOver(r) {
		return
	}
	ref := payment.RefundRef{Tenant: r.Tenant, ID: r.ID}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for heard := range w.waiting[ref] {
		close(heard)
	}
	delete(w.waiting, ref)
}

// Run asks the store as long as somebody waits, until ctx ends.
func (w *Waiter) Run(ctx context.Context) {
	for ctx.Err() == nil {
		refs := w.refs()
		if len(refs) == 0 {
			select {
			case <-w.more:
			case <-ctx.Done():
			}
			continue
		}
		w.look(ctx, refs)
		select {
		case <-time.After(lookPause):
		case <-ctx.Done():
		}
	}
}

func (w *Waiter) refs() []payment.RefundRef {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	refs := make([]payment.RefundRef, 0, len(w.waiting))
	for ref := range w.waiting {
		refs = append(refs, ref)
	}
	return refs
}

// look asks once for all who wait.
func (w *Waiter) look(ctx context.Context, refs []payment.RefundRef) {
	ctx, cancel := context.WithTimeout(ctx, lookTimeout)
	defer cancel()
	refunds, err := w.config.Store.Refunds(ctx, refs)
	if err != nil {
		w.config.Log.WarnContext(ctx, "outcomes not looked up", "error", err)
	}
	for _, refund := range refunds {
		w.Hear(refund)
	}
}

// Listening returns an engine that lets those who wait hear what comes of its
// commands.
func (w *Waiter) Listening(to Engine) Engine { return listening{to, w} }

type listening struct {
	engine Engine
	waiter *Waiter
}

// Do implements [Engine].
func (l listening) Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error) {
	answer, err := l.engine.Do(ctx, command, finish...)
	if err == nil && !answer.Refund.ID.IsZero() {
		l.waiter.Hear(answer.Refund)
	}
	return answer, err
}
