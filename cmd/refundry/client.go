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
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/service"
	"github.com/refundry/refundry/internal/web"
)

// operatorFlags say which data and which tenant an operator's command is about.
type operatorFlags struct {
	storeFlags

	Tenant  string   `help:"Name or id of the tenant; the only one need not be named." env:"REFUNDRY_TENANT"`
	As      string   `help:"Who you are, for the audit trail: the person on whose behalf the operator acts." placeholder:"NAME" env:"REFUNDRY_USER"`
	Allow   []string `help:"As serve has it, where no server runs." env:"REFUNDRY_ALLOW" hidden:""`
	Sandbox bool     `help:"The data is a sandbox's, and no server runs." env:"REFUNDRY_SANDBOX"`
}

// operator talks to the running server through its socket or, if none runs, to
// a service in this process that has the data folder's lock.
type operator struct {
	http   *http.Client
	tenant string
	user   string
	key    string // names what is to be done once; empty: nobody says
	close  func() error
}

// dial returns an operator. Close must be called.
func (f operatorFlags) dial(ctx context.Context, t *terminal) (*operator, error) {
	socket, free, err := socketPath(f.Data)
	if err == nil {
		conn, dialErr := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if dialErr == nil {
			_ = conn.Close() // it answers
			return &operator{
				http: &http.Client{Transport: &http.Transport{
					DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
						return (&net.Dialer{}).DialContext(ctx, "unix", socket)
					},
				}},
				tenant: f.Tenant, user: f.As, close: free,
			}, nil
		}
		_ = free() // nobody answers there
	}
	return f.open(ctx, t)
}

// open runs the service in this process, without jobs: those that a command
// causes wait for a server.
func (f operatorFlags) open(ctx context.Context, t *terminal) (*operator, error) {
	if err := os.MkdirAll(f.Data, 0o700); err != nil {
		return nil, fmt.Errorf("make the data folder: %w", err)
	}
	isSandbox := f.Sandbox
	if _, err := os.Stat(filepath.Join(f.Data, "sandbox.json")); err == nil {
		isSandbox = true
	}
	allow, err := parsePrefixes("--allow", f.Allow)
	if err != nil {
		return nil, err
	}
	s, err := service.Open(ctx, service.Config{
		Data: f.Data, Database: f.Database, Allow: allow, IsSandbox: isSandbox, PausesJobs: true, Machine: machineTime, NewID: newID,
		Luck: luck, Log: t.quiet(),
	})
	if err != nil {
		return nil, err
	}
	working, stopWorking := context.WithCancel(context.WithoutCancel(ctx))
	serving, stopServing := context.WithCancel(context.WithoutCancel(ctx))
	pipes := newPipes()
	var work, answers sync.WaitGroup
	work.Go(func() { s.Run(working) })
	answers.Go(func() { _ = web.Serve(serving, pipes, s.OperatorHandler(), endPatience, t.quiet()) }) // its end is ours
	transport := &http.Transport{DialContext: pipes.dial}
	return &operator{
		http: &http.Client{Transport: transport}, tenant: f.Tenant, user: f.As,
		close: func() error {
			transport.CloseIdleConnections()
			stopServing()
			answers.Wait()
			stopWorking()
			work.Wait()
			return s.Close()
		},
	}, nil
}

// endPatience bounds how long a request that was broken off may go on.
const endPatience = 5 * time.Second

// call calls one of the operator's routes and returns the answer.
func (o *operator) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	response, err := o.send(ctx, method, path, "application/json", content)
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was read
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("answer: %w", err)
	}
	if response.StatusCode >= http.StatusBadRequest {
		return nil, problemOf(text, response.StatusCode)
	}
	return text, nil
}

func (o *operator) send(ctx context.Context, method, path, contentType string, body io.Reader) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, method, "http://operator"+path, body)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", contentType)
	if o.tenant != "" {
		request.Header.Set("Refundry-Tenant", o.tenant)
	}
	if o.user != "" {
		request.Header.Set("Refundry-User", o.user)
	}
	if o.key != "" {
		request.Header.Set("Idempotency-Key", o.key)
	}
	return o.http.Do(request)
}

// refusal is an answer that says no.
type refusal struct {
	line    string
	problem []byte // as it came
	refunds []string
}

// Error implements error.
func (r *refusal) Error() string { return r.line }

// problemOf turns a problem (RFC 9457) into one line.
func problemOf(text []byte, status int) error {
	var problem struct {
		Detail  string   `json:"detail"`
		Code    string   `json:"code"`
		Refunds []string `json:"refunds"`
		Errors  []struct {
			Pointer   string `json:"pointer"`
			Parameter string `json:"parameter"`
			Detail    string `json:"detail"`
		} `json:"errors"`
	}
	if json.Unmarshal(text, &problem) != nil || problem.Detail == "" {
		return fmt.Errorf("the server answered %d", status)
	}
	lines := []string{problem.Detail}
	for _, wrong := range problem.Errors {
		lines = append(lines, strings.TrimSpace(wrong.Pointer+wrong.Parameter+" "+wrong.Detail))
	}
	if len(problem.Refunds) > 0 {
		lines = append(lines, "refunds: "+strings.Join(problem.Refunds, ", "))
	}
	return &refusal{strings.Join(lines, "; "), text, problem.Refunds}
}

// query returns a query of what is not empty.
func query(pairs ...string) string {
	values := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			values.Set(pairs[i], pairs[i+1])
		}
	}
	if len(values) == 0 {
		return ""
	}
	return "?" + values.Encode()
}

// ifSet is what a flag is in a query.
func ifSet(flag bool) string {
	if flag {
		return "true"
	}
	return ""
}

// operate runs one call and prints its answer: as it is with --json, else as
// a table of the named list or as facts of the thing.
func (f operatorFlags) operate(ctx context.Context, t *terminal, method, path string, body any, columns ...string) error {
	return f.operateOnce(ctx, t, "", method, path, body, columns...)
}

// operateOnce is operate under an idempotency key, which may be empty.
func (f operatorFlags) operateOnce(ctx context.Context, t *terminal, key, method, path string, body any, columns ...string,
) error {
	o, err := f.dial(ctx, t)
	if err != nil {
		return err
	}
	o.key = key
	text, err := o.call(ctx, method, path, body)
	if err == nil {
		err = t.printAnswer(text, columns)
	} else if no, ok := errors.AsType[*refusal](err); ok && t.isJSON && len(no.refunds) > 0 { // programs want their ids
		err = errors.Join(err, t.printAnswer(no.problem, nil))
	}
	return errors.Join(err, o.close())
}
