package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"code.dny.dev/ssrf"

	"github.com/refundry/refundry/internal/wire"
)

const (
	answerBytesMax  = 4 << 10 // of an answer's body, for the log
	answerBytesMore = 64      // read behind them: a card number at the end must not be cut in two
	headerBytesMax  = 16 << 10
	dialTimeout     = 5 * time.Second
	idleConnTimeout = 90 * time.Second
	idlePerHostMax  = 16 // as many as jobs of one endpoint may run
	idleInAllMax    = 512
)

// newClient returns the client by which webhooks leave. The guard looks at the
// address that is dialed, so a name that resolves to a private one does not
// get around it. Redirects are not followed: what is told goes to the URL that
// was agreed upon, and nowhere else.
func newClient(allow []netip.Prefix) *http.Client {
	dialer := &net.Dialer{Timeout: dialTimeout, Control: newGuard(allow).Safe}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleConnTimeout, MaxIdleConns: idleInAllMax,
			MaxIdleConnsPerHost: idlePerHostMax, MaxResponseHeaderBytes: headerBytesMax,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func newGuard(allow []netip.Prefix) *ssrf.Guardian {
	var v4, v6 []netip.Prefix
	for _, prefix := range allow {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	return ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
}

// NewReach returns what says of a URL whether webhooks can go there, as far as
// it names an address: what a name resolves to is only known when it is dialed.
func NewReach(allow []netip.Prefix) func(url string) bool {
	guard := newGuard(allow)
	return func(text string) bool {
		to, err := url.Parse(text)
		if err != nil {
			return true // it is refused for that elsewhere
		}
		host := strings.ToLower(to.Hostname())
		if host == "localhost" {
			host = "127.0.0.1"
		}
		address, err := netip.ParseAddr(host)
		return err != nil || guard.SafeAddr(address.WithZone("").Unmap()) == nil
	}
}

// response is what came of one attempt.
type response struct {
	status     int           // 0: there was no answer
	answer     string        // its beginning
	problem    string        // why there was none
	retryAfter time.Duration // for how long the receiver wants to be left alone; 0: it does not say
}

// post makes one attempt.
func (t *Teller) post(ctx context.Context, to string, header http.Header, body []byte, timeout time.Duration) response {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return response{problem: "the endpoint's URL cannot be used"}
	}
	request.Header = header.Clone() // the voice's own
	request.Header.Set("User-Agent", "Refundry")
	got, err := t.client.Do(request)
	if err != nil {
		return response{problem: problemOf(err)}
	}
	defer func() { _ = got.Body.Close() }() // what is left of the answer is not wanted
	// A status that has come stands, even if the rest of the answer does not come in time.
	beginning, _ := io.ReadAll(io.LimitReader(got.Body, answerBytesMax+answerBytesMore))
	return response{
		status: got.StatusCode, answer: loggable(beginning),
		retryAfter: retryAfter(got.Header.Get("Retry-After"), t.config.Machine()),
	}
}

// retryAfterMax is the longest that a receiver can put an attempt off.
const retryAfterMax = 24 * time.Hour

// retryAfter reads for how long somebody wants to be left alone: seconds, or
// until a date. What cannot be read says nothing.
func retryAfter(text string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseInt(text, 10, 64); err == nil {
		return time.Duration(min(max(0, seconds), int64(retryAfterMax/time.Second))) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	return min(max(0, until.Sub(now)), retryAfterMax)
}

// problemOf says why there is no answer, without the URL: it may hold a secret.
func problemOf(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return "timeout"
		}
		err = wrapped.Err
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, ssrf.ErrProhibitedIP), errors.Is(err, ssrf.ErrProhibitedNetwork),
		errors.Is(err, ssrf.ErrProhibitedPort):
		return "address not allowed"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "certificate not trusted"
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return "name not resolved: " + dns.Err
	}
	if operation, ok := errors.AsType[*net.OpError](err); ok {
		return operation.Op + ": " + operation.Err.Error()
	}
	if errors.Is(err, io.EOF) {
		return "connection closed without an answer"
	}
	return "no answer"
}

// loggable returns what of an answer may be kept.
func loggable(answer []byte) string {
	text := strings.ReplaceAll(string(answer), "\x00", "")
	kept := text[:min(len(text), answerBytesMax)]
	if wire.HasCardNumber(text) || wire.HasCardNumber(kept) { // a longer row of digits may be cut to look like one
		return "(not kept: it looks as if it had a card number in it)"
	}
	return strings.ToValidUTF8(kept, string(utf8.RuneError))
}
