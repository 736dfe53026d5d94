package service_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// Whoever opens the server, or adds a slash, finds the pages.
func TestPeopleFindThePages(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	get := func(path string) *httptest.ResponseRecorder {
		got := httptest.NewRecorder()
		w.Service.Handler().ServeHTTP(got, httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil))
		return got
	}
	if got := get("/"); got.Code != http.StatusOK || !strings.Contains(got.Body.String(), "/docs") {
		t.Errorf("/ answers %d %s", got.Code, got.Body)
	}
	for _, page := range []string{"/docs", "/errors"} {
		if got := get(page + "/"); got.Header().Get("Location") != page || get(page).Code != http.StatusOK {
			t.Errorf("%s/ answers %d to %s", page, got.Code, got.Header())
		}
	}
}

// The sandbox's own routes say no as our own API does.
func TestTheSandboxsProblemsAreOurs(t *testing.T) {
	t.Parallel()
	w := start(t, "")
	title := func(method, path, key, body string) (string, any) {
		got := httptest.NewRecorder()
		request := httptest.NewRequestWithContext(t.Context(), method, path, strings.NewReader(body))
		if key != "" {
			request.Header.Set("Authorization", "Bearer "+key)
		}
		w.Service.Handler().ServeHTTP(got, request)
		code, answer := plainOf(t, got)
		return code, answer["title"]
	}
	key := w.File.API.Key
	for _, row := range []struct{ method, ours, theirs, key, body string }{
		{http.MethodPost, "/v1/payments", "/sandbox/plans", "", "{}"},
		{http.MethodPost, "/v1/payments", "/sandbox/plans", key, "{"},
		{http.MethodPost, "/v1/payments", "/sandbox/plans", key, `{"x": 1}`},
		{http.MethodDelete, "/v1/payments", "/sandbox/clock", key, ""},
		{http.MethodGet, "/v1/nothing", "/sandbox/nothing", key, ""},
	} {
		ours, ourTitle := title(row.method, row.ours, row.key, row.body)
		theirs, theirTitle := title(row.method, row.theirs, row.key, row.body)
		if ours != theirs || ourTitle != theirTitle {
			t.Errorf("%s %s is %s %v, and of the sandbox %s %v", row.method, row.body, ours, ourTitle, theirs, theirTitle)
		}
	}
}

// plainOf reads a problem's code, and all of it.
func plainOf(t *testing.T, got *httptest.ResponseRecorder) (string, object) {
	t.Helper()
	var answer object
	if err := json.Unmarshal(got.Body.Bytes(), &answer); err != nil {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	code, _ := answer["code"].(string)
	return code, answer
}
