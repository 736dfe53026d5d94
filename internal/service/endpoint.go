package service

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/webhook"
)

// byFlags is how changes are signed that the flags of `refundry serve` ask for.
var byFlags = auth.By{Actor: "operator:flags"}

// onlyTenant returns the tenant that flags are about.
func (s *Service) onlyTenant(ctx context.Context) (payment.TenantID, error) {
	if s.sandbox != nil {
		kept, err := s.sandbox.Recall(ctx, demoName)
		if err != nil {
			return payment.TenantID{}, err
		}
		var d demo
		if kept != nil {
			err = json.Unmarshal(kept, &d)
		}
		return d.Tenant, err
	}
	tenants, err := s.auth.Tenants(ctx)
	if err != nil {
		return payment.TenantID{}, err
	}
	if len(tenants) != 1 {
		return payment.TenantID{}, fault.New(fault.Invalid,
			"--webhook-url is for an installation with one tenant; use `refundry webhooks add`")
	}
	return tenants[0].ID, nil
}

// PrepareEndpoints lets each door's webhooks go to a URL, instead of where
// they went before. Doors that are not named keep theirs.
func (s *Service) PrepareEndpoints(ctx context.Context, urls map[payment.Door]string) error {
	if len(urls) == 0 {
		return nil
	}
	tenant, err := s.onlyTenant(ctx)
	if err != nil {
		return err
	}
	for door, url := range urls {
		if !s.hasDoor(door) {
			return fault.New(fault.Invalid, "--webhook-url names a front door that there is not")
		}
		if !webhook.NewReach(s.allowed())(url) {
			return fault.New(fault.Invalid, "--webhook-url names an address that is not public: it needs --allow")
		}
		if err := s.prepareEndpoint(ctx, tenant, door, url); err != nil {
			return fmt.Errorf("webhook URL of %s: %w", door, err)
		}
	}
	return nil
}

func (s *Service) hasDoor(door payment.Door) bool {
	for _, known := range s.doors {
		if door == known {
			return true
		}
	}
	return false
}

// prepareEndpoint lets one door's webhooks go to a URL. Endpoints that the
// door's callers manage themselves stay as they are.
func (s *Service) prepareEndpoint(ctx context.Context, tenant payment.TenantID, door payment.Door, url string) error {
	endpoints, err := s.auth.Endpoints(ctx, tenant)
	if err != nil {
		return err
	}
	found := false
	for _, endpoint := range endpoints {
		switch {
		case endpoint.Door != door || endpoint.Detail != "":
		case endpoint.URL == url && !found:
			found = true
		default:
			if err := s.auth.RemoveEndpoint(ctx, byFlags, tenant, endpoint.ID); err != nil {
				return err
			}
		}
	}
	if found {
		return nil
	}
	secret, err := s.endpointSecret(ctx)
	if err != nil {
		return err
	}
	_, _, err = s.auth.AddEndpoint(ctx, byFlags, tenant, door, url, nil, auth.Secret(secret))
	return err
}

// endpointSecret is what deliveries of the own API are signed with: in the
// sandbox the one in sandbox.json, elsewhere a fresh one.
func (s *Service) endpointSecret(ctx context.Context) (string, error) {
	if s.sandbox == nil {
		return "", nil
	}
	kept, err := s.sandbox.Recall(ctx, demoName)
	if err != nil || kept == nil {
		return "", err
	}
	var d demo
	err = json.Unmarshal(kept, &d)
	return d.WebhookSecret, err
}

// SetSettings changes settings of the only tenant.
func (s *Service) SetSettings(ctx context.Context, changes map[string]any) error {
	tenant, err := s.onlyTenant(ctx)
	if err != nil {
		return err
	}
	return s.auth.SetSettings(ctx, byFlags, tenant, changes)
}

// disableEndpoint ends an endpoint whose receiver says that it is gone, or to
// which nothing can be delivered.
func (s *Service) disableEndpoint(ctx context.Context, tenant payment.TenantID, id payment.EndpointID,
	disabling payment.Disabling,
) error {
	return s.auth.DisableEndpoint(ctx, auth.By{Actor: "receiver"}, tenant, id, disabling)
}

// replay tells an endpoint what it missed.
func (s *Service) replay(ctx context.Context, meta payment.Meta, tenant *payment.Tenant, replay webhook.Replay,
) (webhook.Replayed, error) {
	return s.replayer.Replay(ctx, meta, tenant, replay)
}
