package api

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/payment"
)

const mediaStream = "text/event-stream"

// What a stream of events allows.
const (
	streamPauseDefault = time.Second      // between two looks for new events
	streamBeat         = 15 * time.Second // a quiet stream says that it is alive, and looks whether its key still is
	streamWriteTimeout = 10 * time.Second // a caller that does not read is cut off
	streamsMax         = 256              // at a time: each looks once a pause
	streamPageMax      = 500              // events in one look
)

// wantsStream reports whether a request asks for a stream.
func wantsStream(r *http.Request) bool {
	for _, value := range r.Header.Values("Accept") {
		for media := range strings.SplitSeq(value, ",") {
			media, _, _ = strings.Cut(media, ";")
			if strings.EqualFold(strings.TrimSpace(media), mediaStream) {
				return true
			}
		}
	}
	return false
}

// stream is an answer that does not end by itself.
type stream struct {
	to      http.ResponseWriter
	control *http.ResponseController
	tenant  payment.TenantID
	after   payment.Cursor
}

// streamEvents shows events as they are committed, until the caller goes, the
// key is revoked or the server stops. Every event has its cursor as its id, so
// that a stream goes on where another broke off.
func (a *API) streamEvents(w http.ResponseWriter, r *http.Request, caller auth.Identity) error {
	text := r.Header.Get("Last-Event-ID")
	if text == "" {
		text = r.URL.Query().Get("after")
	}
	after, ok := payment.ParseCursor(text)
	if !ok {
		return wrongCursor
	}
	if !a.streams.enter() {
		return &problem{code: codeUnavailable, detail: "too many streams; nothing was done"}
	}
	defer a.streams.leave()
	s := &stream{to: w, control: http.NewResponseController(w), tenant: caller.Tenant, after: after}
	_ = s.control.SetReadDeadline(time.Time{}) // a stream outlives the time that a request may take
	w.Header().Set("Content-Type", mediaStream)
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies must not gather
	stopping := a.streams.stopping(r.Context())
	look, beat := time.NewTicker(a.config.StreamPause), time.NewTicker(streamBeat)
	defer look.Stop()
	defer beat.Stop()
	if err := s.write([]byte(": welcome\n\n")); err != nil {
		return nil //nolint:nilerr // the caller has gone
	}
	for {
		if err := a.follow(r.Context(), s); err != nil {
			return nil //nolint:nilerr // what has begun has no other answer than to end
		}
		select {
		case <-look.C:
		case <-beat.C:
			if _, err := a.admit(r, forMerchants, scopeReadEvents); err != nil || s.write([]byte(": alive\n\n")) != nil {
				return nil
			}
		case <-stopping:
			return nil
		case <-r.Context().Done():
			return nil
		}
	}
}

// errGone means that nobody reads a stream any more.
var errGone = errors.New("the caller has gone")

// follow writes the events that have come. A store that does not answer now may
// answer at the next look.
func (a *API) follow(ctx context.Context, s *stream) error {
	for {
		events, err := a.config.Feed.Events(ctx, s.tenant, s.after, streamPageMax)
		if err != nil {
			a.config.Log.WarnContext(ctx, "events not read for a stream", "error", err)
			return ctx.Err()
		}
		to := newWriter()
		for _, event := range events {
			to.text = append(to.text, "id: "+event.Cursor.String()+"\nevent: "+string(event.Kind)+"\ndata: "...)
			one := newWriter()
			showEvent(one, event)
			to.text = append(append(to.text, one.text...), "\n\n"...)
			s.after = event.Cursor
		}
		if len(events) == 0 {
			return nil
		}
		if err := s.write(to.text); err != nil {
			return errors.Join(errGone, err)
		}
	}
}

// write writes a piece, and sees that it leaves.
func (s *stream) write(text []byte) error {
	_ = s.control.SetWriteDeadline(time.Now().Add(streamWriteTimeout)) //nolint:forbidigo // of the machine's own network
	if _, err := s.to.Write(text); err != nil {
		return err
	}
	return s.control.Flush()
}

// streams knows how many streams there are, and when they must end.
type streams struct {
	mutex sync.Mutex
	count int
	ends  map[*http.Server]chan struct{} // closed when the server begins to stop
}

// enter takes a place, if there is one. Leave gives it back.
func (s *streams) enter() bool {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.count >= streamsMax {
		return false
	}
	s.count++
	return true
}

func (s *streams) leave() {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.count--
}

// stopping returns what is closed when the server that a request came to begins
// to stop: it would wait for a stream as long as it has patience.
func (s *streams) stopping(ctx context.Context) <-chan struct{} {
	server, ok := ctx.Value(http.ServerContextKey).(*http.Server)
	if !ok {
		return nil
	}
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.ends == nil {
		s.ends = map[*http.Server]chan struct{}{}
	}
	end, known := s.ends[server]
	if !known {
		end = make(chan struct{})
		s.ends[server] = end
		server.RegisterOnShutdown(sync.OnceFunc(func() { close(end) }))
	}
	return end
}
