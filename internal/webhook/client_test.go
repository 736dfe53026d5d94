package webhook_test

import (
	"bufio"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/refundry/refundry/internal/webhook"
)

// deliver makes the first attempt of a delivery to a URL.
func (w *world) deliver(t *testing.T, url string) (webhook.Delivery, webhook.Attempt) {
	t.Helper()
	tenant, _ := w.tenant(t, url)
	w.refund(t, tenant, w.capture(t, tenant), 100)
	d, attempts := w.attempts(t, tenant, 1)
	return d, attempts[0]
}

func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// listen answers every connection, once its request has been read, byte by byte.
func listen(t *testing.T, answer func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = connection.Close() }()
				if _, err := http.ReadRequest(bufio.NewReader(connection)); err == nil {
					answer(connection)
				}
			}()
		}
	}()
	return "http://" + listener.Addr().String()
}

// drip writes a text again and again until nobody wants it any more.
func drip(connection net.Conn, text string) {
	for {
		if _, err := connection.Write([]byte(text)); err != nil {
			return
		}
		time.Sleep(time.Millisecond) // it is the drip itself that is slow: nothing waits for it
	}
}

const retried = time.Hour

func retrying() voice { return voice{gaps: []time.Duration{0, retried}} }

func TestRedirectIsRefused(t *testing.T) {
	t.Parallel()
	v := retrying()
	v.always = true // not even for a door to which any answer will do
	w := setup(t, plan{voice: v})
	var followed atomic.Bool
	elsewhere := serve(t, func(http.ResponseWriter, *http.Request) { followed.Store(true) })
	for _, status := range []int{301, 302, 303, 307, 308} {
		d, attempt := w.deliver(t, serve(t, func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, status)
		}))
		if attempt.StatusCode != status || d.Status != webhook.StatusOpen {
			t.Errorf("%d: delivery %s, attempt %+v", status, d.Status, attempt)
		}
	}
	if followed.Load() {
		t.Error("a redirect was followed")
	}
}

func TestPrivateAddressIsRefused(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{refuses: true, voice: retrying()})
	var reached atomic.Bool
	_, port, _ := strings.Cut(strings.TrimPrefix(serve(t, func(http.ResponseWriter, *http.Request) {
		reached.Store(true)
	}), "http://"), ":")
	for _, host := range []string{
		"127.0.0.1", "127.1.2.3", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.0.1",
		"169.254.169.254", "100.64.0.1", "224.0.0.1",
	} {
		d, attempt := w.deliver(t, "http://"+host+":"+port+"/")
		if attempt.Error != "address not allowed" || attempt.StatusCode != 0 || d.Status != webhook.StatusOpen {
			t.Errorf("%s: delivery %s, attempt %+v", host, d.Status, attempt)
		}
	}
	if reached.Load() {
		t.Error("a private address was reached")
	}
}

func TestAllowedAddressIsReachedByName(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{})
	url := serve(t, func(http.ResponseWriter, *http.Request) {})
	if d, attempt := w.deliver(t, strings.Replace(url, "127.0.0.1", "localhost", 1)); d.Status != webhook.StatusDelivered {
		t.Errorf("attempt %+v", attempt)
	}
}

func TestBadReceiverIsAFailedAttempt(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		open func(t *testing.T) string
		want []string // one of these
	}{
		"it resets the connection": {func(t *testing.T) string {
			t.Helper()
			return listen(t, func(c net.Conn) { _ = c.(*net.TCPConn).SetLinger(0) })
		}, []string{"read: read: connection reset by peer"}},
		"it closes the connection": {func(t *testing.T) string {
			t.Helper()
			return listen(t, func(net.Conn) {})
		}, []string{"connection closed without an answer"}},
		"nobody listens": {func(t *testing.T) string {
			t.Helper()
			server := httptest.NewServer(nil)
			defer server.Close()
			return server.URL
		}, []string{"dial: connect: connection refused"}},
		"it speaks something else": {func(t *testing.T) string {
			t.Helper()
			return listen(t, func(c net.Conn) { _, _ = c.Write([]byte("220 mail.example ESMTP\r\n")) })
		}, []string{"no answer"}},
		"its headers are endless": {func(t *testing.T) string {
			t.Helper()
			return listen(t, func(c net.Conn) {
				_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\n"))
				for n := 0; ; n++ {
					if _, err := fmt.Fprintf(c, "X-%d: %s\r\n", n, strings.Repeat("x", 1000)); err != nil {
						return
					}
				}
			})
		}, []string{"no answer", "write: write: broken pipe", "read: read: connection reset by peer"}},
		"its certificate is its own": {func(t *testing.T) string {
			t.Helper()
			server := httptest.NewUnstartedServer(nil)
			server.Config.ErrorLog = log.New(io.Discard, "", 0) // it says what we say
			server.StartTLS()
			t.Cleanup(server.Close)
			return server.URL
		}, []string{"certificate not trusted"}},
	}
	w := setup(t, plan{voice: retrying()})
	for name, test := range tests {
		d, attempt := w.deliver(t, test.open(t))
		if attempt.StatusCode != 0 || d.Status != webhook.StatusOpen || !slices.Contains(test.want, attempt.Error) {
			t.Errorf("%s: delivery %s, attempt %+v", name, d.Status, attempt)
		}
	}
}

func TestSlowReceiverEndsWithTheTimeout(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	v := retrying()
	v.timeout = timeout
	tests := map[string]func(net.Conn){
		"it says nothing":     func(c net.Conn) { _, _ = c.Read(make([]byte, 1)) },
		"its headers trickle": func(c net.Conn) { drip(c, "H") },
	}
	w := setup(t, plan{voice: v})
	for name, answer := range tests {
		d, attempt := w.deliver(t, listen(t, answer))
		if attempt.Error != "timeout" || attempt.StatusCode != 0 || d.Status != webhook.StatusOpen || attempt.Took < timeout {
			t.Errorf("%s: delivery %s, attempt %+v", name, d.Status, attempt)
		}
	}
}

func TestStatusStandsThoughTheAnswerTrickles(t *testing.T) {
	t.Parallel()
	const timeout = 200 * time.Millisecond
	v := retrying()
	v.timeout = timeout
	w := setup(t, plan{voice: v})
	d, attempt := w.deliver(t, listen(t, func(c net.Conn) {
		_, _ = c.Write([]byte("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n"))
		drip(c, "x")
	}))
	if d.Status != webhook.StatusDelivered || attempt.StatusCode != http.StatusOK || !strings.HasPrefix(attempt.Answer, "x") ||
		attempt.Took < timeout {
		t.Errorf("delivery %s, attempt %+v", d.Status, attempt)
	}
}

func TestAnswerIsLoggedInPart(t *testing.T) {
	t.Parallel()
	const card = "4242 4242 4242 4242"
	long := strings.Repeat("x", 1<<20)
	const masked = "(not kept: it looks as if it had a card number in it)"
	tests := map[string]struct{ answer, want string }{
		"a short one":                  {"thanks", "thanks"},
		"a large one":                  {long, long[:4096]},
		"one with a card number":       {"card " + card + " refunded", masked},
		"one cut within a card number": {long[:4090] + " " + card, masked},
		"one that is not text":         {"a\x00b\xffc", "ab\uFFFDc"},
		"one cut within a letter":      {long[:4095] + "é", long[:4095] + "\uFFFD"},
	}
	w := setup(t, plan{voice: retrying()})
	for name, test := range tests {
		d, attempt := w.deliver(t, serve(t, func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write([]byte(test.answer)) // it may be cut short
		}))
		if d.Status != webhook.StatusDelivered || attempt.Answer != test.want {
			t.Errorf("%s: delivery %s, logged %d bytes: %.80q", name, d.Status, len(attempt.Answer), attempt.Answer)
		}
	}
}

func TestConnectionIsUsedAgain(t *testing.T) {
	t.Parallel()
	w := setup(t, plan{voice: retrying()})
	var opened atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	server.Start()
	t.Cleanup(server.Close)
	for range 5 {
		w.deliver(t, server.URL)
	}
	if opened.Load() != 1 {
		t.Errorf("%d connections for 5 webhooks, one after the other", opened.Load())
	}
}
