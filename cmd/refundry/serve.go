package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/web"
)

// storeFlags say where the data is.
type storeFlags struct {
	Data     string `help:"Folder for the SQLite file, keys and the operator's socket." default:"refundry-data" type:"path" env:"REFUNDRY_DATA"`
	Database string `help:"URL of a Postgres database, instead of the SQLite file." placeholder:"postgres://…" env:"REFUNDRY_DATABASE"`
}

// serveCommand runs the server.
type serveCommand struct {
	storeFlags

	Sandbox      bool              `help:"Run with the sandbox processor, test clock and a demo tenant. No real money." env:"REFUNDRY_SANDBOX"`
	SandboxDelay time.Duration     `help:"Let refunds in the sandbox succeed after this long." default:"0s"`
	Listen       string            `help:"Address to answer on." default:"127.0.0.1:8480" env:"REFUNDRY_LISTEN"`
	WebhookURL   map[string]string `help:"Where to send webhooks of a front door: smartglocal=URL, pike=URL, api=URL." placeholder:"DIALECT=URL" mapsep:"none"`
	Allow        []string          `help:"Networks that webhooks may go to although they are not public (CIDR)." placeholder:"CIDR" env:"REFUNDRY_ALLOW"`
	Lease        time.Duration     `help:"How long a replica that died may delay its jobs." default:"60s" env:"REFUNDRY_LEASE"`
	Patience     time.Duration     `help:"How long a stop waits for requests in flight." default:"20s"`
	PauseJobs    bool              `help:"Answer requests but run no jobs: for measuring." hidden:""`
}

// Run implements the command.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	allow, err := parsePrefixes(c.Allow)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return fmt.Errorf("make the data folder: %w", err)
	}
	tracing, err := startTracing(ctx)
	if err != nil {
		return err
	}
	s, err := service.Open(ctx, service.Config{
		Data: c.Data, Database: c.Database, IsSandbox: c.Sandbox, SandboxDelay: c.SandboxDelay, Allow: allow,
		Lease: c.Lease, PausesJobs: c.PauseJobs, Machine: machineTime, NewID: newID, Luck: luck, Log: t.log,
	})
	if err != nil {
		return err
	}
	return errors.Join(c.serve(ctx, t, s, tracing), s.Close(), tracing.stop())
}

// serve answers until ctx ends: first requests end, then jobs, then the engine.
func (c *serveCommand) serve(ctx context.Context, t *terminal, s *service.Service, tracing *tracing) error {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	socket, err := listenOperator(ctx, c.Data)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	defer stopWorking()
	serving, stopServing := context.WithCancel(ctx)
	defer stopServing()
	var work, answers sync.WaitGroup
	work.Go(func() { s.Run(working) })
	errs := make(chan error, 3)
	answer := func(listener net.Listener, handler http.Handler) {
		answers.Go(func() {
			errs <- web.Serve(serving, listener, handler, c.Patience, t.log)
			stopServing() // one that ends takes the others along
		})
	}
	answer(listener, tracing.wrap(s.Handler()))
	answer(socket, s.OperatorHandler())
	if err := c.prepare(ctx, t, s, baseURL(listener.Addr())); err != nil {
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

// prepare makes what the flags ask for, and says on stdout that the server is ready.
func (c *serveCommand) prepare(ctx context.Context, t *terminal, s *service.Service, url string) error {
	endpoints := map[payment.Door]string{}
	for door, url := range c.WebhookURL {
		endpoints[payment.Door(door)] = url
	}
	ready := map[string]string{"base_url": url}
	if c.Sandbox {
		path, _, err := s.PrepareSandbox(ctx, url)
		if err != nil {
			return err
		}
		ready["sandbox_file"] = path
	}
	if err := s.PrepareEndpoints(ctx, endpoints); err != nil {
		return err
	}
	if t.isJSON {
		return json.NewEncoder(t.stdout).Encode(ready)
	}
	if path, ok := ready["sandbox_file"]; ok {
		_, err := fmt.Fprintf(t.stdout, "Refundry sandbox ready at %s, credentials in %s\n", url, path)
		return err
	}
	_, err := fmt.Fprintf(t.stdout, "Refundry ready at %s\n", url)
	return err
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

func parsePrefixes(texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fault.New(fault.Invalid, "--allow takes networks as in 10.0.0.0/8")
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}

// operatorSocket is the socket, in the data folder, behind which a caller may
// do everything. Who can open it is decided by the file's permissions.
const operatorSocket = "operator.sock"

// listenOperator listens on the operator's socket. The caller holds the data
// folder's lock: a socket that is there was left by a process that died.
func listenOperator(ctx context.Context, data string) (net.Listener, error) {
	path, free, err := socketPath(data)
	if err != nil {
		return nil, err
	}
	defer func() { _ = free() }() // the socket stays
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("operator's socket: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "unix", path)
	if err != nil {
		return nil, fmt.Errorf("operator's socket: %w", err)
	}
	if err := os.Chmod(path, 0o600); err != nil {
		return nil, errors.Join(fmt.Errorf("operator's socket: %w", err), listener.Close())
	}
	return listener, nil
}
