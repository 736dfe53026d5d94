package auth

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
)

// rotatedMark begins the secret of an endpoint that was given another one. A
// plain secret is random: it does not.
var rotatedMark = []byte("rotated:")

// rotated is an endpoint's secret beside the one before.
type rotated struct {
	Current  []byte    `json:"current"`
	Previous []byte    `json:"previous"`
	Until    time.Time `json:"until"` // then the previous one is over
}

// secretsOf returns what an endpoint's deliveries are signed with, the newest first.
func secretsOf(plain []byte, now time.Time) ([][]byte, error) {
	text, isRotated := bytes.CutPrefix(plain, rotatedMark)
	if !isRotated {
		return [][]byte{plain}, nil
	}
	var kept rotated
	if err := json.Unmarshal(text, &kept); err != nil {
		return nil, fmt.Errorf("read an endpoint's secret: %w", err)
	}
	if now.Before(kept.Until) {
		return [][]byte{kept.Current, kept.Previous}, nil
	}
	return [][]byte{kept.Current}, nil
}

// EndpointSecrets returns what deliveries to an endpoint are signed with, the
// newest first: while a rotation lasts, the one before is valid too;
// fault.NotFound.
func (a *Auth) EndpointSecrets(ctx context.Context, tenant payment.TenantID, id payment.EndpointID) ([][]byte, error) {
	plain, err := a.EndpointSecret(ctx, tenant, id)
	if err != nil {
		return nil, err
	}
	return secretsOf(plain, a.config.Now())
}

// overlapMax is the longest that two secrets of an endpoint are valid together.
const overlapMax = 7 * 24 * time.Hour

// RotateEndpointSecret gives an endpoint another secret: the one given, as
// [NewEndpointSecret] spells it, or a new one. For the overlap its deliveries
// carry a signature with each.
func (a *Auth) RotateEndpointSecret(ctx context.Context, by By, tenant payment.TenantID, id payment.EndpointID, to Secret,
	overlap time.Duration,
) (Secret, error) {
	if overlap < 0 || overlap > overlapMax {
		return "", fault.New(fault.Invalid, "two secrets are valid together for at most %d hours", int(overlapMax/time.Hour))
	}
	if to == "" {
		to = NewEndpointSecret(a.config.Random)
	}
	raw, err := parseEndpointSecret(to)
	if err != nil {
		return "", err
	}
	_, err = a.ChangeEndpoint(ctx, by, tenant, id, func(endpoint *Endpoint) error {
		before, err := a.config.Keyring.Open(endpoint.Secret, endpoint.row())
		if err != nil {
			return err
		}
		valid, err := secretsOf(before, a.config.Now())
		if err != nil {
			return err
		}
		kept, err := json.Marshal(rotated{Current: raw, Previous: valid[0], Until: a.config.Now().Add(overlap)})
		if err != nil {
			return fmt.Errorf("write an endpoint's secret: %w", err)
		}
		return a.seal(endpoint, append(slices.Clone(rotatedMark), kept...))
	})
	return to, err
}
