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
	var v4, v6 []netip.Prefix
	for _, prefix := range allow {
		if prefix.Addr().Is4() {
			v4 = append(v4, prefix)
		} else {
			v6 = append(v6, prefix)
		}
	}
	guard := ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	dialer := &net.Dialer{Timeout: dialTimeout, Control: guard.Safe}
	return &http.Client{
		Transport: &http.Transport{
			Proxy: nil, DialContext: dialer.DialContext, ForceAttemptHTTP2: true, DisableCompression: true,
			TLSHandshakeTimeout: dialTimeout, IdleConnTimeout: idleConnTimeout, MaxIdleConns: idleInAllMax,
			MaxIdleConnsPerHost: idlePerHostMax, MaxResponseHeaderBytes: headerBytesMax,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// post makes one attempt. It returns the status, 0 if there was no answer, the
// beginning of the answer, and why there was none.
func (t *Teller) post(ctx context.Context, to string, header http.Header, body []byte, timeout time.Duration,
) (status int, answer, problem string) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, to, bytes.NewReader(body))
	if err != nil {
		return 0, "", "the endpoint's URL cannot be used"
	}
	request.Header = header.Clone() // the voice's own
	request.Header.Set("User-Agent", "Refundry")
	response, err := t.client.Do(request)
	if err != nil {
		return 0, "", problemOf(err)
	}
	defer func() { _ = response.Body.Close() }() // what is left of the answer is not wanted
	// A status that has come stands, even if the rest of the answer does not come in time.
	beginning, _ := io.ReadAll(io.LimitReader(response.Body, answerBytesMax+answerBytesMore))
	return response.StatusCode, loggable(beginning), ""
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
	if wire.HasCardNumber(text) {
		return "(not kept: it looks as if it had a card number in it)"
	}
	return strings.ToValidUTF8(text[:min(len(text), answerBytesMax)], string(utf8.RuneError))
}
