package postgres

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/row"
)

// cached returns a tenant as it was read at a version, nil if another was.
func (s *Store) cached(id payment.TenantID, version int64) *payment.Tenant {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if tenant := s.tenants[id]; tenant != nil && tenant.Version == version {
		return tenant
	}
	return nil
}

func (s *Store) cache(tenant *payment.Tenant) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	s.tenants[tenant.ID] = tenant
}

// querier is a connection, a pool or a database transaction.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

// findTenant reads a tenant with its endpoints, in one statement so that both
// are of one version.
func findTenant(ctx context.Context, db querier, id payment.TenantID) (*payment.Tenant, error) {
	tenant := &payment.Tenant{ID: id}
	var settings string
	var createdAt int64
	var endpoints []endpointRow
	err := db.QueryRow(ctx, `SELECT name, version, settings, created_at, coalesce((SELECT json_agg(json_build_object(
			'id', id, 'door', door, 'url', url, 'kinds', kinds, 'detail', detail, 'disabled', disabled) ORDER BY id)
			FROM endpoint WHERE tenant_id = $1 AND deleted_at = 0), '[]')
		FROM tenant WHERE id = $1`, pgUUID(id)).Scan(&tenant.Name, &tenant.Version, &settings, &createdAt,
		&endpoints)
	if errors.Is(err, pgx.ErrNoRows) {
		return tenant, nil
	}
	if err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	tenant.CreatedAt = row.Time(createdAt)
	if tenant.Settings, err = setting.Decode([]byte(settings)); err != nil {
		return nil, err
	}
	for _, e := range endpoints {
		endpoint, err := e.endpoint()
		if err != nil {
			return nil, err
		}
		tenant.Endpoints = append(tenant.Endpoints, endpoint)
	}
	return tenant, nil
}

// endpointRow is an endpoint as json_build_object writes it.
type endpointRow struct {
	ID       string `json:"id"`
	Door     string `json:"door"`
	URL      string `json:"url"`
	Kinds    string `json:"kinds"`
	Detail   string `json:"detail"`
	Disabled bool   `json:"disabled"`
}

func (e endpointRow) endpoint() (payment.Endpoint, error) {
	endpoint := payment.Endpoint{Door: payment.Door(e.Door), URL: e.URL, Detail: e.Detail, Disabled: e.Disabled}
	if err := endpoint.ID.ParseUUID(e.ID); err != nil {
		return payment.Endpoint{}, err
	}
	var err error
	endpoint.Kinds, err = row.ParseTexts[payment.EventKind](e.Kinds)
	return endpoint, err
}
