package wire

import (
	"errors"
	"io"
	"net/http"
	"strconv"
)

// ErrTooLarge means that a body is over its limit.
var ErrTooLarge = errors.New("the body is too large")

// ErrBody means that a body did not arrive whole.
var ErrBody = errors.New("the body did not arrive whole")

// Body reads a request's body, at most limit bytes.
func Body(w http.ResponseWriter, r *http.Request, limit int64) ([]byte, error) {
	if r.ContentLength > limit {
		return nil, ErrTooLarge
	}
	reader := http.MaxBytesReader(w, r.Body, limit)
	body := make([]byte, 0, max(0, min(r.ContentLength, limit))+1)
	for {
		if len(body) == cap(body) {
			body = append(body, 0)[:len(body)]
		}
		n, err := reader.Read(body[len(body):cap(body)])
		body = body[:len(body)+n]
		switch {
		case err == nil:
		case errors.Is(err, io.EOF):
			return body, nil
		case isTooLarge(err):
			return nil, ErrTooLarge
		default:
			return nil, ErrBody
		}
	}
}

func isTooLarge(err error) bool {
	_, tooLarge := errors.AsType[*http.MaxBytesError](err)
	return tooLarge
}

// Answer writes a whole answer with its length, so that it leaves at once: the
// work that the request caused may begin when it is written.
func Answer(w http.ResponseWriter, status int, contentType string, body []byte) {
	header := w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(status)
	_, _ = w.Write(body) // a caller that has gone reads the outcome later
}
