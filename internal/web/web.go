// Package web is the HTTP server around all front doors: limits, request ids,
// logs, metrics. It knows no door.
package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"runtime/debug"
	"strings"
	"time"

	"github.com/refundry/refundry/internal/wire"
)

// What a server allows. A caller that is slower is cut off.
const (
	headerTimeout  = 5 * time.Second
	readTimeout    = 30 * time.Second // the whole request
	writeTimeout   = 60 * time.Second // from the end of its header to the end of the answer
	idleTimeout    = 2 * time.Minute
	headerBytesMax = 16 << 10
	requestIDMax   = 64 // longer ones are not taken over
)

// Metrics hears about every request.
type Metrics interface {
	// Served tells of an answer. The pattern is the route's, empty if there is none.
	Served(pattern string, status int, took time.Duration)
}

// Config is what the frame around a handler is made of.
type Config struct {
	Handler http.Handler
	// Hold keeps back the work that a request causes until its answer is written.
	Hold    func(ctx context.Context) (held context.Context, release func())
	Trusted []netip.Prefix   // proxies whose X-Forwarded-For is believed
	NewID   func() string    // of a request
	Machine func() time.Time // this machine's time
	Log     *slog.Logger
	Metrics Metrics
}

// Wrap puts the frame around a handler: a clean path, a request id, where it
// came from, the hold, one log line and one measurement, and an end to panics.
// A handler that panics is answered in its door's words for a fault of ours,
// which say that nothing was done. Where that may not be true the connection
// closes instead.
func Wrap(config Config) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := config.Machine()
		r = cleanPath(r)
		id := requestID(r, config.NewID)
		w.Header().Set("X-Request-Id", id)
		ctx := wire.WithServing(wire.WithAddress(wire.WithRequestID(r.Context(), id), address(r, config.Trusted)))
		ctx, release := config.Hold(ctx)
		r = r.WithContext(ctx)
		answer := &recorder{ResponseWriter: w, ctx: ctx}
		defer func() {
			bug := recover()
			took := config.Machine().Sub(began)
			isAborted := bug == any(http.ErrAbortHandler)
			if bug != nil && !isAborted {
				config.Log.ErrorContext(ctx, "bug in a handler", "request_id", id, "pattern", r.Pattern,
					"bug", bug, "stack", string(debug.Stack()))
				isAborted = !answer.say()
			}
			if isAborted {
				release()
				config.Metrics.Served(r.Pattern, 0, took)
				panic(http.ErrAbortHandler) // the connection closes: the fate of the request is not known
			}
			_ = http.NewResponseController(w).Flush() // a caller that has gone reads the outcome later
			release()
			config.Metrics.Served(r.Pattern, answer.status, took)
			config.Log.DebugContext(ctx, "request", "request_id", id, "method", r.Method, "pattern", r.Pattern,
				"status", answer.status, "took", took)
		}()
		config.Handler.ServeHTTP(answer, r)
	})
}

// requestID takes the caller's request id over if it is short and plain. It
// names the request in logs and decides nothing.
func requestID(r *http.Request, newID func() string) string {
	given := r.Header.Get("X-Request-Id")
	if given == "" || len(given) > requestIDMax || wire.HasCardNumber(given) {
		return newID()
	}
	for _, letter := range []byte(given) {
		if letter <= ' ' || letter > '~' {
			return newID()
		}
	}
	return given
}

// cleanPath takes double slashes and dots out of a path, which the mux would
// answer with a redirect: a redirected POST loses its body. It works on the
// path as it was sent: a slash that is escaped is part of a name.
func cleanPath(r *http.Request) *http.Request {
	given := r.URL.EscapedPath()
	if given == "*" { // it names the server
		return r
	}
	clean := "/" + strings.TrimPrefix(escapedDots.Replace(given), "/")
	if isFolder := strings.HasSuffix(clean, "/"); strings.Contains(clean, "//") || strings.Contains(clean, "/.") {
		if clean = path.Clean(clean); isFolder && clean != "/" {
			clean += "/"
		}
	}
	decoded, err := url.PathUnescape(clean)
	if err != nil || clean == given {
		return r
	}
	to, request := *r.URL, *r
	to.Path, to.RawPath = decoded, clean
	request.URL = &to
	return &request
}

// escapedDots are dots all the same.
var escapedDots = strings.NewReplacer("%2e", ".", "%2E", ".")

// recorder remembers the status of an answer, and lets none say that nothing
// was done when something was.
type recorder struct {
	http.ResponseWriter
	ctx    context.Context //nolint:containedctx // of the one request
	status int
}

// say answers that a handler had a bug, and reports whether that could be said:
// not when an answer has begun, or the request has changed something.
func (r *recorder) say() bool {
	if r.status != 0 || wire.HasChanged(r.ctx) {
		return false
	}
	wire.SayBug(r.ctx, r)
	return true
}

// WriteHeader remembers the status. A 5xx means that nothing was done: after a
// change the connection closes instead.
func (r *recorder) WriteHeader(status int) {
	if status >= http.StatusInternalServerError && wire.HasChanged(r.ctx) {
		panic(http.ErrAbortHandler)
	}
	if r.status == 0 {
		r.status = status
	}
	r.ResponseWriter.WriteHeader(status)
}

// Write remembers that the status is 200 if nobody said otherwise.
func (r *recorder) Write(body []byte) (int, error) {
	if r.status == 0 {
		r.status = http.StatusOK
	}
	return r.ResponseWriter.Write(body)
}

// Unwrap lets [http.ResponseController] reach the real writer.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

// Serve answers on a listener until ctx ends; then it lets running requests
// come to their end, for at most the patience given, and returns.
func Serve(ctx context.Context, listener net.Listener, handler http.Handler, patience time.Duration, log *slog.Logger) error {
	server := &http.Server{
		Handler: handler, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytesMax,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		stopped <- server.Shutdown(ending)
	})
	err := server.Serve(listener)
	if stop() {
		return err // it ended by itself
	}
	return <-stopped
}
