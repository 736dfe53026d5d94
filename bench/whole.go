package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
)

// startPaused starts a service that runs no jobs, makes payments at the own
// API and at Smart Glocal, and signs refunds.
func (w *world) startPaused(ctx context.Context, payments int) error {
	s, file, err := w.start(ctx, "paused", true, nil)
	if err != nil {
		return err
	}
	w.paused = s
	if err := w.pay(ctx, s, payments); err != nil {
		return err
	}
	return w.sign(ctx, s, file, payments)
}

// startWhole starts a service with everything on.
func (w *world) startWhole(ctx context.Context, payments int, receiver string) error {
	s, _, err := w.start(ctx, "whole", false, map[payment.Door]string{payment.DoorAPI: receiver})
	if err != nil {
		return err
	}
	w.whole = s
	if err := w.pay(ctx, s, payments); err != nil {
		return err
	}
	return w.receiver.drain(ctx, len(s.payments))
}

// start starts a service.
func (w *world) start(ctx context.Context, name string, isPaused bool, endpoints map[payment.Door]string,
) (*server, service.SandboxFile, error) {
	data := filepath.Join(w.folder, name)
	if err := os.Mkdir(data, 0o700); err != nil {
		return nil, service.SandboxFile{}, err
	}
	url := ""
	if w.cluster != nil {
		var err error
		if url, err = w.cluster.Database(ctx); err != nil {
			return nil, service.SandboxFile{}, err
		}
	}
	s, err := service.Open(ctx, service.Config{
		Data: data, Database: url, IsSandbox: true, PausesJobs: isPaused, Machine: time.Now, NewID: newID,
		Luck: rand.Float64, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError})),
	})
	if err != nil {
		return nil, service.SandboxFile{}, err
	}
	w.closers = append(w.closers, s.Close)
	w.running.Go(func() { s.Run(ctx) })
	address, err := w.listen(ctx, s.Handler())
	if err != nil {
		return nil, service.SandboxFile{}, err
	}
	_, file, err := s.PrepareSandbox(ctx, "http://"+address)
	if err != nil {
		return nil, service.SandboxFile{}, err
	}
	if err := s.PrepareEndpoints(ctx, endpoints); err != nil {
		return nil, service.SandboxFile{}, err
	}
	if err := s.SetSettings(ctx, map[string]any{"smartglocal.parallel_refunds": true}); err != nil {
		return nil, service.SandboxFile{}, err
	}
	return &server{address: address, key: file.API.Key}, file, nil
}

// payers is how many connections make payments.
const payers = 64

// pay makes payments at the own API.
func (w *world) pay(ctx context.Context, s *server, count int) error {
	body := []byte(`{"amount":` + strconv.Itoa(paymentAmount) + `,"currency":"EUR"}`)
	wire := request("/v1/payments", http.Header{"Authorization": {"Bearer " + s.key}}, body)
	var mutex sync.Mutex
	var failed error
	var running sync.WaitGroup
	for range payers {
		running.Go(func() {
			ids, err := payAll(ctx, s.address, wire, count/payers+1)
			mutex.Lock()
			defer mutex.Unlock()
			s.payments = append(s.payments, ids...)
			failed = errors.Join(failed, err)
		})
	}
	running.Wait()
	shuffle(s.payments)
	return failed
}

func payAll(ctx context.Context, address string, wire []byte, count int) ([]string, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := dial(ctx, address)
	if err != nil {
		return nil, err
	}
	ids := make([]string, 0, count)
	for range count {
		body, err := c.send(wire, http.StatusCreated)
		if err != nil {
			return nil, err
		}
		var answer struct{ ID payment.PaymentID }
		if err := json.Unmarshal(body, &answer); err != nil {
			return nil, err
		}
		ids = append(ids, answer.ID.String())
	}
	return ids, nil
}

func (w *world) refundHeader() http.Header { return w.headerOf(w.paused) }

func (w *world) headerOf(s *server) http.Header {
	return http.Header{"Authorization": {"Bearer " + s.key}, "Idempotency-Key": {fmt.Sprintf("%x", newID())}}
}

// refundWork is (c): refunds through the own API.
func (w *world) refundWork(int) work {
	return func(ctx context.Context) (func() (int, error), error) {
		c, err := dial(ctx, w.paused.address)
		if err != nil {
			return nil, err
		}
		return func() (int, error) {
			_, err := c.send(request("/v1/refunds", w.refundHeader(), w.refundBody()), http.StatusCreated)
			return 1, err
		}, nil
	}
}

// lifeWork is (e): a refund from the request until its webhook is acknowledged.
func (w *world) lifeWork(int) work {
	return func(ctx context.Context) (func() (int, error), error) {
		c, err := dial(ctx, w.whole.address)
		if err != nil {
			return nil, err
		}
		return func() (int, error) {
			body, err := c.send(request("/v1/refunds", w.headerOf(w.whole), w.bodyOf(w.whole, w.count.Add(1))), http.StatusCreated)
			if err != nil {
				return 0, err
			}
			var answer struct{ ID string }
			if err := json.Unmarshal(body, &answer); err != nil {
				return 0, err
			}
			return 1, w.receiver.await(ctx, answer.ID)
		}, nil
	}
}

// receiver acknowledges webhooks and remembers which refunds succeeded.
type receiver struct {
	count   atomic.Int64
	mutex   sync.Mutex
	told    map[string]bool
	waiting map[string]chan struct{}
}

func newReceiver() *receiver {
	return &receiver{told: map[string]bool{}, waiting: map[string]chan struct{}{}}
}

// ServeHTTP takes a webhook.
func (r *receiver) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	body, err := io.ReadAll(request.Body)
	if err != nil {
		http.Error(w, "cut off", http.StatusBadRequest)
		return
	}
	var event struct {
		Type string
		Data struct{ Refund struct{ ID string } }
	}
	r.count.Add(1)
	if !bytes.Contains(body, []byte(`"refund.succeeded"`)) {
		return
	}
	if err := json.Unmarshal(body, &event); err != nil {
		http.Error(w, "not JSON", http.StatusBadRequest)
		return
	}
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if waiting, ok := r.waiting[event.Data.Refund.ID]; ok {
		close(waiting)
		delete(r.waiting, event.Data.Refund.ID)
		return
	}
	r.told[event.Data.Refund.ID] = true
}

// drain waits until so many webhooks have come: those of the payments must not
// be in line before those that are measured.
func (r *receiver) drain(ctx context.Context, count int) error {
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for r.count.Load() < int64(count) {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// lifePatience bounds one whole life.
const lifePatience = time.Minute

// await waits until a refund's success was told.
func (r *receiver) await(ctx context.Context, refund string) error {
	r.mutex.Lock()
	if r.told[refund] {
		delete(r.told, refund)
		r.mutex.Unlock()
		return nil
	}
	told := make(chan struct{})
	r.waiting[refund] = told
	r.mutex.Unlock()
	timer := time.NewTimer(lifePatience)
	defer timer.Stop()
	select {
	case <-told:
		return nil
	case <-timer.C:
		return errors.New("a refund's success was never told")
	case <-ctx.Done():
		return ctx.Err()
	}
}
