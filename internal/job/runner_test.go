package job_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/refundry/refundry/internal/job"
	"github.com/refundry/refundry/internal/payment"
)

// due is a store with one due job, which somebody who commits meanwhile gets
// ahead of: claiming it, the runner has a free place, and then none.
type due struct {
	job.Store

	task    payment.Task
	between func()
	claimed bool
	ended   chan job.Ending
}

func (d *due) Claim(context.Context, job.Claim) ([]job.Job, error) {
	if d.claimed {
		return nil, nil
	}
	d.claimed = true
	d.between()
	return []job.Job{{Task: d.task, Runs: 3}}, nil
}

func (d *due) End(_ context.Context, endings []job.Ending) error {
	for _, ending := range endings {
		d.ended <- ending
	}
	return nil
}

func (d *due) Reap(context.Context, int, int) (reaped, buried int, err error) { return 0, 0, nil }

type nobody struct{}

func (nobody) Ran(payment.TaskKind, time.Duration, bool) {}

// A queue has no more places than it has: a job that was claimed for a place
// that somebody reserved meanwhile waits for the next one, and has not run.
func TestPlacesAreNotExceeded(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	newID := func() [16]byte { return uuid.Must(uuid.NewV7()) }
	store := &due{task: payment.Task{Kind: payment.TaskSubmitRefund, Subject: newID(), Queue: "slow"}, ended: make(chan job.Ending, 1)}
	runner := job.New(job.Config{
		Store: store, Places: job.Places{PerQueue: 1, InAll: 8}, Lease: time.Minute, Now: func() time.Time { return now },
		NewID: newID, Luck: func() float64 { return 0.5 }, Log: slog.New(slog.DiscardHandler), Metrics: nobody{},
		Handlers: map[payment.TaskKind]job.Handler{payment.TaskSubmitRefund: func(context.Context, job.Job) (job.Verdict, error) {
			t.Error("it ran beside another")
			return job.Done(), nil
		}},
	})
	store.between = func() {
		if _, ok := runner.Reserve(store.task); !ok {
			t.Error("no place was free")
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		runner.Run(ctx)
	}()
	if got := <-store.ended; got.TaskRef != store.task.Ref() || !got.Again.Equal(now) || got.Runs != 2 {
		t.Errorf("it ended as %+v", got)
	}
	stop()
	<-done
}
