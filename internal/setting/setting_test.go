package setting_test

import (
	"math"
	"strings"
	"testing"

	"github.com/refundry/refundry/internal/setting"
)

// What counts time has a most, which is checked when it is set and holds for
// what was set before; what counts anything else has none.
func TestTimesHaveAMost(t *testing.T) {
	t.Parallel()
	for name, most := range map[string]int64{
		"policy.window_days": 36_500, "policy.earliest_hours": 876_000, "policy.duplicate_minutes": 52_560_000,
		"policy.undo_seconds": 3_153_600_000, "policy.maximum_amount": 0, "policy.approvers": 0,
	} {
		spec := setting.NewInt(name, 0, 0, "")
		if most == 0 {
			most = math.MaxInt64
		} else if _, err := spec.Check(most + 1); err == nil || !strings.Contains(err.Error(), "from 0 to") {
			t.Errorf("%s takes more than %d: %v", name, most, err)
		}
		if _, err := spec.Check(most); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := spec.Of(setting.Values{name: int64(math.MaxInt64)}); got != most {
			t.Errorf("%s is read as %d, want %d", name, got, most)
		}
	}
}
