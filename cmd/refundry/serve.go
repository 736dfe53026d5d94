package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/service"
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
	WebhookURL   map[string]string `help:"Where to send a front door's webhooks. DOOR is api, smartglocal, pike, ping, chip or primer." placeholder:"DOOR=URL" mapsep:"none"`
	Allow        []string          `help:"Networks that webhooks may go to although they are not public (CIDR)." placeholder:"CIDR" env:"REFUNDRY_ALLOW"`
	Proxies      []string          `help:"Proxies whose X-Forwarded-For names the caller's address (CIDR); the header is ignored from all others." placeholder:"CIDR" env:"REFUNDRY_PROXIES"`
	Lease        time.Duration     `help:"How long a replica that died may delay its jobs." default:"60s" env:"REFUNDRY_LEASE"`
	Patience     time.Duration     `help:"How long a stop waits for requests in flight." default:"20s"`
	PauseJobs    bool              `help:"Answer requests but run no jobs: for measuring." hidden:""`
}

// Run implements the command.
func (c *serveCommand) Run(ctx context.Context, t *terminal) error {
	allow, err := parsePrefixes("--allow", c.Allow)
	if err != nil {
		return err
	}
	proxies, err := parsePrefixes("--proxies", c.Proxies)
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
		Proxies: proxies, Lease: c.Lease, PausesJobs: c.PauseJobs, Machine: machineTime, NewID: newID, Luck: luck, Log: t.log,
	})
	if err != nil {
		return err
	}
	return errors.Join(c.serve(ctx, t, s, tracing), s.Close(), tracing.stop())
}

// serve answers until ctx ends.
func (c *serveCommand) serve(ctx context.Context, t *terminal, s *service.Service, tracing *tracing) error {
	return host{
		service: s, listen: c.Listen, data: c.Data, wrap: tracing.wrap, patience: c.Patience, log: t.log,
	}.run(ctx, func(url string) error { return c.prepare(ctx, t, s, url) })
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

func parsePrefixes(flag string, texts []string) ([]netip.Prefix, error) {
	prefixes := make([]netip.Prefix, 0, len(texts))
	for _, text := range texts {
		if address, err := netip.ParseAddr(text); err == nil {
			address = address.Unmap()
			prefixes = append(prefixes, netip.PrefixFrom(address, address.BitLen()))
			continue
		}
		prefix, err := netip.ParsePrefix(text)
		if prefix.Addr().Is4In6() { // callers' addresses are IPv4 then: as it stands it would contain none
			const mapped = 96 // bits that say so
			prefix = netip.PrefixFrom(prefix.Addr().Unmap(), prefix.Bits()-mapped)
		}
		if err != nil || !prefix.IsValid() {
			return nil, fault.New(fault.Invalid, "%s takes networks as in 10.0.0.0/8", flag)
		}
		prefixes = append(prefixes, prefix)
	}
	return prefixes, nil
}
