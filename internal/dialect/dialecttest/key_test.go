package dialecttest_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/dialect/dialecttest"
)

// Keys that callers of any door have left unused are found. What we sign with is
// not among them: revoked as a key that nobody misses, it would be missed.
func TestUnusedKeysAreCallers(t *testing.T) {
	t.Parallel()
	w := dialecttest.Start(t, "")
	w.Advance("2400h")
	got := mustBe(w, "keys", w.Operate(http.MethodGet, "/v1/keys?unused_days=90", ""), http.StatusOK)
	for kind, isListed := range map[string]bool{
		"api_key": true, "primer_key": true, "chip_key": true, "primer_webhook_secret": false, "webhook_signing_key": false,
	} {
		if strings.Contains(got.Raw, `"kind":"`+kind+`"`) != isListed {
			t.Errorf("%s: %s", kind, got.Raw)
		}
	}
}
