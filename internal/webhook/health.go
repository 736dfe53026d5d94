package webhook

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
)

// SettingDisableAfter is a tenant's patience with endpoints of our own API.
var SettingDisableAfter = setting.NewInt("webhook.disable_after_days", 5, 0,
	"Days after which an endpoint of the own API, to which nothing could be delivered, is disabled; 0: never.")

// PatienceOf returns how long an endpoint may fail before it is disabled; 0: for ever.
func PatienceOf(settings setting.Values) time.Duration {
	return time.Duration(SettingDisableAfter.Of(settings)) * 24 * time.Hour
}

// Patient is a voice that disables an endpoint to which nothing can be delivered.
type Patient interface {
	// Patience returns for how long every attempt must have failed; 0: never.
	Patience(settings setting.Values) time.Duration
}

// Health is how deliveries to an endpoint go. Times are those of attempts; zero: there was none.
type Health struct {
	FailingSince time.Time // the first attempt in vain behind the last that arrived; zero: that arrived, or none was made
	FailedAt     time.Time // the last attempt in vain
	StatusCode   int       // of that one; 0: there was no answer
	Error        string    // why there was none
	SucceededAt  time.Time // the last attempt that arrived
	Waiting      int       // deliveries that wait for an attempt, at most [WaitingMax]
	NextAt       time.Time // when the first of these is due
}

// WaitingMax is how many waiting deliveries of an endpoint are counted.
const WaitingMax = 1000

// Tally is what the attempts of one commit say of an endpoint.
type Tally struct {
	Tenant   payment.TenantID
	Endpoint payment.EndpointID
	Health   Health // as these attempts alone have it
}

// Tallies returns what results say of endpoints, each once, in one order
// everywhere: two commits may be about the same.
func Tallies(results []Result) []Tally {
	var tallies []Tally
	made := slices.DeleteFunc(slices.Clone(results), func(r Result) bool {
		return r.Attempt.Number == 0 || r.Delivery.Endpoint.IsZero()
	})
	slices.SortStableFunc(made, func(a, b Result) int {
		return cmp.Or(a.Delivery.Tenant.Compare(b.Delivery.Tenant), a.Delivery.Endpoint.Compare(b.Delivery.Endpoint),
			b.Attempt.At.Compare(a.Attempt.At)) // the newest first
	})
	for _, result := range made {
		d, last := result.Delivery, len(tallies)-1
		if last < 0 || tallies[last].Tenant != d.Tenant || tallies[last].Endpoint != d.Endpoint {
			tallies = append(tallies, Tally{Tenant: d.Tenant, Endpoint: d.Endpoint})
			last++
		}
		tallies[last].Health.older(result)
	}
	return tallies
}

// older adds an attempt that is not newer than those that were added before.
func (h *Health) older(result Result) {
	a := result.Attempt
	if result.Delivery.Status == StatusDelivered {
		if h.SucceededAt.IsZero() {
			h.SucceededAt = a.At
		}
		if h.FailingSince.Equal(a.At) { // at the same moment something arrived
			h.FailingSince = time.Time{}
			if h.FailedAt.After(a.At) {
				h.FailingSince = h.FailedAt
			}
		}
		return
	}
	if h.FailedAt.IsZero() {
		h.FailedAt, h.StatusCode, h.Error = a.At, a.StatusCode, a.Error
	}
	if h.SucceededAt.IsZero() {
		h.FailingSince = a.At
	}
}

// giveUpOn disables an endpoint to which nothing could be delivered for too
// long. It is asked after every attempt in vain, once that is recorded: of two
// replicas that record at once, at least the later sees both. If it fails, the
// next attempt in vain decides again.
func (t *Teller) giveUpOn(ctx context.Context, voice Voice, tenant *payment.Tenant, result Result) {
	d := result.Delivery
	patient, ok := voice.(Patient)
	if !ok || d.Endpoint.IsZero() || d.Status == StatusDelivered {
		return
	}
	patience := patient.Patience(tenant.Settings)
	if patience <= 0 {
		return
	}
	health, err := t.config.Store.Health(ctx, d.Tenant, d.Endpoint)
	if err == nil && !health.FailingSince.IsZero() && result.Attempt.At.Sub(health.FailingSince) >= patience {
		err = t.config.Disable(ctx, d.Tenant, d.Endpoint, payment.Disabling{
			Reason: payment.DisabledFailing, URL: d.URL, Since: health.FailingSince,
		})
	}
	if err != nil {
		t.config.Log.WarnContext(ctx, "endpoint not disabled", "tenant_id", d.Tenant, "endpoint_id", d.Endpoint,
			"error", err)
	}
}
