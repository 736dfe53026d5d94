package api_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/refundry/refundry/internal/api"
)

// request is an example's.
type request struct {
	method, path, body string
	headers            []string // "Name: value"
}

// exampleRequest returns the request of an operation's example, with variables
// in the place of ids.
func exampleRequest(t testing.TB, id string) request {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("examples", id+".http"))
	if err != nil {
		t.Fatal(err)
	}
	asked, _, _ := strings.Cut(string(text), "\n\nHTTP/1.1 ")
	head, body, _ := strings.Cut(asked, "\n\n")
	lines := strings.Split(head, "\n")
	method, path, _ := strings.Cut(lines[0], " ")
	return request{method, path, body, lines[1:]}
}

// Every operation of the document has an example, and every example is true.
func TestEveryOperationHasATrueExample(t *testing.T) {
	t.Parallel()
	examples := map[string]bool{}
	for _, row := range api.Table() {
		if !row.IsListed {
			continue
		}
		examples[row.ID+".http"] = true
		t.Run(row.ID, func(t *testing.T) {
			t.Parallel()
			checkExample(t, row)
		})
	}
	files, err := os.ReadDir("examples")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if !examples[file.Name()] {
			t.Errorf("%s is of no operation", file.Name())
		}
	}
}

func checkExample(t *testing.T, row api.Row) {
	t.Helper()
	path := filepath.Join("examples", row.ID+".http")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	asked, documented, _ := strings.Cut(string(text), "\n\nHTTP/1.1 ")
	w := setup(t)
	if strings.HasPrefix(row.ID, "list") || row.ID == "getReport" { // a list of nothing shows nothing
		w.fill(t, "$PAYMENT $SCHEDULED $ENDPOINT $DELIVERY")
		if row.ID == "listDisputes" {
			w.fill(t, "$DISPUTE")
		}
	}
	if row.ID == "listBatches" {
		w.fill(t, "$READY")
	}
	r := exampleRequest(t, row.ID)
	filled, ids := w.fill(t, r.path+"\x00"+r.body)
	r.path, r.body, _ = strings.Cut(filled, "\x00")
	shown := &shower{shown: map[string]string{}}
	for variable, id := range ids {
		shown.shown[id] = api.IDOfExamples(api.VariablesOfExamples()[variable])
	}
	got := w.ask(t, row, r)
	answered := shown.show(fmt.Sprintf("%d %s\n", got.status, http.StatusText(got.status)))
	if got.text != "" {
		answered += "Content-Type: " + got.header.Get("Content-Type") + "\n\n" + shown.show(indent(got.text))
	}
	if *update {
		if err := os.WriteFile(path, []byte(asked+"\n\nHTTP/1.1 "+answered), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(documented, answered); diff != "" {
		t.Errorf("the answer is another (-documented +answered):\n%s", diff)
	}
	if want := fmt.Sprint(got.status); got.status >= http.StatusMultipleChoices {
		t.Errorf("an example of a refusal: %s", want)
	}
}

// ask sends a request as who may send it.
func (w *world) ask(t testing.TB, row api.Row, r request) answer {
	t.Helper()
	switch {
	case row.IsForAnybody:
		return send(t, w.server, r.method, r.path, r.body, r.headers...)
	case row.IsOperators:
		return send(t, w.operator, r.method, r.path, r.body, append(r.headers, "Refundry-Tenant: shop")...)
	default:
		return w.call(t, r.method, r.path, r.body, r.headers...)
	}
}

// shower gives ids names that are the same in every run, and hides secrets.
type shower struct {
	shown map[string]string // id → as it is shown
}

var (
	idText     = regexp.MustCompile(`\b([a-z]{3})_[0-9a-hjkmnp-tv-z]{26}\b`)
	uuidText   = regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	longText   = regexp.MustCompile(`\b(p[sm]_)[0-9]{30,39}\b`)
	shortText  = regexp.MustCompile(`("primer": ?")[0-9A-Za-z]{9}"`)
	placeText  = regexp.MustCompile(`\b[0-9a-f]{12,14}-[0-9a-f]{32}\b`)
	entryText  = regexp.MustCompile(`\b[0-9a-f]+-[0-9a-f]+-[0-9a-f]{32}\b`)
	secretText = regexp.MustCompile(`\b(rfk_|whsec_|whpk_)[A-Za-z0-9+/=]+`)
)

func (s *shower) show(text string) string {
	text = secretText.ReplaceAllString(text, "${1}…")
	text = uuidText.ReplaceAllString(text, "019c40af-7d29-7000-8000-000000000001")
	text = longText.ReplaceAllString(text, "${1}2140538283594614906970593190219882497")
	text = shortText.ReplaceAllString(text, `${1}4nC8dE2kQ"`)
	text = entryText.ReplaceAllString(text, "3-1-019c40af7d2970008000000000000001")
	text = placeText.ReplaceAllString(text, "64bf5f5ec4000-019c40af7d2970008000000000000001")
	return idText.ReplaceAllStringFunc(text, func(id string) string {
		if s.shown[id] == "" {
			s.shown[id] = fmt.Sprintf("%s_06e40bvx550000%012d", id[:3], len(s.shown)+1)
		}
		return s.shown[id]
	})
}
