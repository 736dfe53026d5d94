package webhook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// Replay tells an endpoint once more what happened in a part of the feed, as
// if it had been there: what it missed while it was disabled, or before it was
// made.
type Replay struct {
	Endpoint payment.Endpoint
	After    payment.Cursor // events behind this place
	From     time.Time      // of these, those that happened at this time or later; zero: all
	Until    time.Time      // … and before this time; zero: up to now
	Limit    int            // at most so many events, see [ReplayMax]
	IsMissed bool           // only what has never arrived, and is not on its way
}

// ReplayMax is how many events one replay reads at the most.
const ReplayMax = 10_000

// Replayed says what a replay came to.
type Replayed struct {
	Deliveries int                // that were made
	First      payment.DeliveryID // the oldest of them
	Next       payment.Cursor     // where the next replay goes on
	IsOver     bool               // nothing was left behind Next when it was read
}

// Engine is the one road for changes.
type Engine interface {
	Do(ctx context.Context, command payment.Command, finish ...payment.TaskRef) (payment.Answer, error)
}

// Heard is a word of an event that has arrived at an endpoint, or is on its way.
type Heard struct {
	Payment payment.PaymentID
	Subject [16]byte
	Kind    payment.EventKind
	Version int64
	Word    string
}

// heardOf returns what an endpoint hears by a delivery.
func heardOf(d payment.Delivery) Heard {
	return Heard{d.Event.Payment, d.Event.Subject, d.Event.Kind, d.Event.Version, d.Word}
}

// Memory knows what endpoints were told.
type Memory interface {
	// Heard returns what has arrived at an endpoint, or is on its way to it, of what
	// happened to payments at versions: of some events, and of what came with them.
	Heard(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID, events []payment.Event) ([]Heard, error)
}

// Replayer makes replays.
type Replayer struct {
	Engine Engine
	Feed   payment.Feed
	Reader payment.Reader
	Memory Memory
	Router *Router
}

// replayPage is how many events are read, and committed, at a time.
const replayPage = 200

// Replay makes the deliveries of a replay; fault.Invalid. What was made stays
// if it breaks off: Next says where it goes on.
func (r Replayer) Replay(ctx context.Context, meta payment.Meta, tenant *payment.Tenant, replay Replay) (Replayed, error) {
	if replay.Limit < 1 || replay.Limit > ReplayMax {
		return Replayed{}, fault.New(fault.Invalid, "a replay reads 1 to %d events", ReplayMax)
	}
	done := Replayed{Next: replay.After}
	for left := replay.Limit; left > 0; {
		events, err := r.Feed.Events(ctx, meta.Tenant, done.Next, min(left, replayPage))
		if err != nil {
			return done, err
		}
		if len(events) == 0 {
			done.IsOver = true
			return done, nil
		}
		made, first, err := r.page(ctx, meta, tenant, replay, events)
		if err != nil {
			return done, err
		}
		if done.Deliveries == 0 {
			done.First = first
		}
		done.Deliveries += made
		done.Next = events[len(events)-1].Cursor
		left -= len(events)
	}
	return done, nil
}

// page makes the deliveries of one page of the feed, in one commit.
func (r Replayer) page(ctx context.Context, meta payment.Meta, tenant *payment.Tenant, replay Replay,
	events []payment.FeedEvent,
) (made int, first payment.DeliveryID, err error) {
	command := payment.Redeliver{Meta: meta, Endpoint: replay.Endpoint.ID}
	views := map[payment.PaymentID]payment.View{}
	for _, event := range events {
		isIn := !event.At.Before(replay.From) && (replay.Until.IsZero() || event.At.Before(replay.Until))
		if !isIn || event.Payment.IsZero() || !Wants(replay.Endpoint, event.Kind) {
			continue
		}
		view, known := views[event.Payment]
		if !known {
			if view, err = r.Reader.View(ctx, meta.Tenant, event.Payment); err != nil {
				return 0, first, fmt.Errorf("replay: %w", err)
			}
			views[event.Payment] = view
		}
		telling := tellingOf(event.Event, view.AsOf(event.Version))
		if telling.IsImport || !concerns(telling, replay.Endpoint.Door) {
			continue
		}
		for _, route := range r.Router.tell(nil, telling, tenant, replay.Endpoint) {
			command.Deliveries = append(command.Deliveries, payment.QueuedDelivery{
				Delivery: payment.Delivery{
					Endpoint: route.Endpoint, Event: event.Event, Word: route.Word, Thread: route.Thread,
				},
				Queue: route.Queue,
			})
		}
	}
	if replay.IsMissed {
		if command.Deliveries, err = r.missed(ctx, meta.Tenant, replay.Endpoint.ID, command.Deliveries); err != nil {
			return 0, first, fmt.Errorf("replay: %w", err)
		}
	}
	if len(command.Deliveries) == 0 {
		return 0, first, nil
	}
	answer, err := r.Engine.Do(ctx, command)
	return len(command.Deliveries), answer.Delivery, err
}

// missed leaves of deliveries those that the endpoint has not heard.
func (r Replayer) missed(ctx context.Context, tenant payment.TenantID, endpoint payment.EndpointID,
	deliveries []payment.QueuedDelivery,
) ([]payment.QueuedDelivery, error) {
	events := make([]payment.Event, len(deliveries))
	for i, d := range deliveries {
		events[i] = d.Delivery.Event
	}
	heard, err := r.Memory.Heard(ctx, tenant, endpoint, events)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(deliveries, func(d payment.QueuedDelivery) bool {
		return slices.Contains(heard, heardOf(d.Delivery))
	}), nil
}

// tellingOf returns an event with what decided, in its own commit, who was told.
func tellingOf(event payment.Event, view payment.View) payment.Telling {
	telling := payment.Telling{
		Event: event, Payment: view.Payment, Disputes: view.Disputes, Refunds: view.Refunds,
		IsImport: view.Payment.IsImport(event),
	}
	telling.Refund, _ = view.Refund(event.Subject)
	telling.Dispute, _ = view.Dispute(event.Subject)
	return telling
}
