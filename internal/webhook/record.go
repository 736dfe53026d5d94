package webhook

import (
	"context"
	"fmt"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/job"
)

const (
	recordMax     = 256              // results in one commit
	recordTimeout = 30 * time.Second // of one commit, or of its halves together
)

// recording is a result on its way to the store.
type recording struct {
	result Result
	done   chan error
}

var errStopped = fault.New(fault.Unavailable, "the server is stopping; the result was not recorded")

// record passes a result on and waits until it is committed, its job's end with it.
func (t *Teller) record(ctx context.Context, result Result) (job.Verdict, error) {
	r := recording{result, make(chan error, 1)}
	select {
	case t.results <- r:
	case <-t.stopped:
		return job.Verdict{}, errStopped
	}
	var err error
	select {
	case err = <-r.done:
	case <-t.stopped:
		select { // the last results were recorded before the end
		case err = <-r.done:
		default:
			err = errStopped
		}
	}
	if err != nil {
		return job.Verdict{}, fmt.Errorf("record a delivery attempt: %w", err)
	}
	t.log(ctx, result)
	return job.Ended(), nil
}

// log says what came of an attempt. A URL may hold a secret, an answer
// anything: neither is said.
func (t *Teller) log(ctx context.Context, result Result) {
	d, a := result.Delivery, result.Attempt
	if d.Status == StatusGivenUp {
		t.config.Log.WarnContext(ctx, "webhook given up", "tenant_id", d.Tenant, "delivery_id", d.ID,
			"endpoint_id", d.Endpoint, "door", string(d.Door), "attempts", d.Attempts, "status_code", a.StatusCode,
			"error", a.Error)
		return
	}
	t.config.Log.DebugContext(ctx, "webhook attempted", "tenant_id", d.Tenant, "delivery_id", d.ID,
		"endpoint_id", d.Endpoint, "door", string(d.Door), "status", string(d.Status), "attempts", d.Attempts,
		"status_code", a.StatusCode, "error", a.Error, "took", a.Took)
}

// Run records results, those together that wait together, until ctx ends and
// none waits. It must outlive those who run jobs.
func (t *Teller) Run(ctx context.Context) {
	defer t.client.CloseIdleConnections()
	defer close(t.stopped)
	for {
		select {
		case first := <-t.results:
			t.commit(t.gather(first))
			continue
		case <-ctx.Done():
		}
		select {
		case first := <-t.results:
			t.commit(t.gather(first))
		default:
			return
		}
	}
}

// gather returns the first result and those that wait behind it.
func (t *Teller) gather(first recording) []recording {
	batch := []recording{first}
	for len(batch) < recordMax {
		select {
		case more := <-t.results:
			batch = append(batch, more)
		default:
			return batch
		}
	}
	return batch
}

// commit records a batch. What has been told must not be told again because
// of another result in the batch.
func (t *Teller) commit(batch []recording) {
	ctx, cancel := context.WithTimeout(context.Background(), recordTimeout)
	defer cancel()
	t.halve(ctx, batch)
}

// halve records a batch; one that fails is halved until the culprit is alone.
func (t *Teller) halve(ctx context.Context, batch []recording) {
	results := make([]Result, len(batch))
	for i, r := range batch {
		results[i] = r.result
	}
	err := t.config.Store.Attempted(ctx, results)
	if err != nil && len(batch) > 1 && ctx.Err() == nil && fault.CodeOf(err) != fault.Unavailable {
		t.halve(ctx, batch[:len(batch)/2])
		t.halve(ctx, batch[len(batch)/2:])
		return
	}
	for _, r := range batch {
		r.done <- err
	}
}
