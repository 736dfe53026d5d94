package dialect_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/refundry/refundry/internal/dialect"
	"github.com/refundry/refundry/internal/payment"
)

// counter counts in memory, as a store does.
type counter struct {
	mutex sync.Mutex
	next  map[string]int64
	asked int
	fails bool
}

var errDown = errors.New("down")

// TakeNumbers implements [dialect.Counter].
func (c *counter) TakeNumbers(_ context.Context, tenant payment.TenantID, name string, count int64) (int64, error) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.asked++; c.fails {
		return 0, errDown
	}
	first := c.next[tenant.String()+name] + 1
	c.next[tenant.String()+name] += count
	return first, nil
}

// Many callers of two replicas get each number once, and the store is asked
// for blocks only.
func TestNumbersRunWithoutRepeating(t *testing.T) {
	t.Parallel()
	const callers = 250
	store := &counter{next: map[string]int64{}}
	var replicas [2]dialect.Numbers
	numbers := make([]int64, 2*callers)
	var running sync.WaitGroup
	for i := range numbers {
		running.Go(func() {
			var err error
			if numbers[i], err = replicas[i%2].Next(t.Context(), store, payment.TenantID{1}, "purchase"); err != nil {
				t.Error(err)
			}
		})
	}
	running.Wait()
	slices.Sort(numbers)
	if distinct := slices.Compact(slices.Clone(numbers)); len(distinct) != len(numbers) || numbers[0] != 1 || store.asked != 6 {
		t.Errorf("%d numbers from %d on, after %d questions", len(distinct), numbers[0], store.asked)
	}
	for _, other := range []struct {
		tenant payment.TenantID
		name   string
	}{{payment.TenantID{2}, "purchase"}, {payment.TenantID{1}, "refund"}} {
		if first, err := replicas[0].Next(t.Context(), store, other.tenant, other.name); err != nil || first != 1 {
			t.Errorf("%s of %s begins with %d: %v", other.name, other.tenant, first, err)
		}
	}
}

// A store that is down loses nobody a number.
func TestNumbersGoOnAfterAFailure(t *testing.T) {
	t.Parallel()
	store := &counter{next: map[string]int64{}, fails: true}
	var numbers dialect.Numbers
	if _, err := numbers.Next(t.Context(), store, payment.TenantID{1}, "purchase"); !errors.Is(err, errDown) {
		t.Errorf("error %v", err)
	}
	store.fails = false
	if first, err := numbers.Next(t.Context(), store, payment.TenantID{1}, "purchase"); err != nil || first != 1 {
		t.Errorf("%d %v", first, err)
	}
}
