package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// webhooks is the merchant's server that webhooks come to.
type webhooks struct {
	url    string
	server *http.Server

	mutex sync.Mutex
	all   []received
	more  chan struct{} // closed when one comes
}

// received is a webhook that came.
type received struct {
	door   string
	header http.Header
	raw    []byte
	body   answered
	taken  bool
}

// listenForWebhooks begins to listen. The caller closes it.
func listenForWebhooks(ctx context.Context) (*webhooks, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("listen for webhooks: %w", err)
	}
	w := &webhooks{url: baseURL(listener.Addr()), more: make(chan struct{})}
	w.server = &http.Server{Handler: w, ReadHeaderTimeout: time.Second}
	go func() { _ = w.server.Serve(listener) }() // close ends it
	return w, nil
}

func (w *webhooks) close() { _ = w.server.Close() }

// ServeHTTP takes a webhook and acknowledges it.
func (w *webhooks) ServeHTTP(to http.ResponseWriter, request *http.Request) {
	raw, err := io.ReadAll(io.LimitReader(request.Body, answerBytesMax))
	came := received{door: strings.Trim(request.URL.Path, "/"), header: request.Header, raw: bytes.Clone(raw)}
	if err != nil || json.Unmarshal(raw, &came.body) != nil {
		to.WriteHeader(http.StatusBadRequest)
		return
	}
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.all = append(w.all, came)
	close(w.more)
	w.more = make(chan struct{})
}

// await returns the next webhook that fits and was not returned before.
func (w *webhooks) await(ctx context.Context, fits func(received) bool) (received, error) {
	for {
		w.mutex.Lock()
		for i := range w.all {
			if !w.all[i].taken && fits(w.all[i]) {
				w.all[i].taken = true
				found := w.all[i]
				w.mutex.Unlock()
				return found, nil
			}
		}
		more := w.more
		w.mutex.Unlock()
		select {
		case <-more:
		case <-ctx.Done():
			return received{}, errors.New("a webhook never came")
		}
	}
}

// forget lets only webhooks be returned that are still to come.
func (w *webhooks) forget() {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	for i := range w.all {
		w.all[i].taken = true
	}
}
