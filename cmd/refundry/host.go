package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/web"
)

// host runs a service in this process and answers for it: to callers at an
// address, to operators at the socket in the data folder.
type host struct {
	service  *service.Service
	listen   string
	data     string
	wrap     func(http.Handler) http.Handler // around what callers reach
	patience time.Duration                   // with requests in flight
	log      *slog.Logger
}

// run answers until ctx ends or ready fails: then requests end first, jobs
// next, the engine last. ready is told at which URL the service can be reached.
func (h host) run(ctx context.Context, ready func(url string) error) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	socket, err := listenOperator(ctx, h.data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	var work, answers sync.WaitGroup
	work.Go(func() { h.service.Run(working) })
	errs := make(chan error, 3)
	answer := func(listener net.Listener, handler http.Handler) {
		answers.Go(func() {
			errs <- web.Serve(serving, listener, handler, h.patience, h.log)
			stopServing() // one that ends takes the other along
		})
	}
	answer(listener, h.wrap(h.service.Handler()))
	answer(socket, h.service.OperatorHandler())
	if err := ready(baseURL(listener.Addr())); err != nil {
		errs <- err
		stopServing()
	}
	answers.Wait()
	stopWorking()
	work.Wait()
	close(errs)
	var failed []error
	for err := range errs {
		failed = append(failed, err)
	}
	return errors.Join(failed...)
}

// baseURL returns a URL at which this machine reaches an address.
func baseURL(address net.Addr) string {
	host, port, err := net.SplitHostPort(address.String())
	if err != nil {
		return "http://" + address.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, port)
}
