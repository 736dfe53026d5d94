package dialect

import (
	"net/http"
	"net/url"
	"strings"
)

// escapedSlashes stay escaped when the rest is read.
var escapedSlashes = strings.NewReplacer("%2f", "%252f", "%2F", "%252F")

// Path returns a request's path for doors that split it at its slashes: one
// that was sent escaped is part of a name, and stays escaped.
func Path(r *http.Request) string {
	path, err := url.PathUnescape(escapedSlashes.Replace(r.URL.EscapedPath()))
	if err != nil {
		return r.URL.Path
	}
	return path
}
