package sqlite

import (
	"fmt"

	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/row"
)

// tenant returns what a commit must know of a tenant. The writer keeps it in
// memory until settings change; all changes of settings pass through here.
func (s *Store) tenant(c *conn, id payment.TenantID) (*payment.Tenant, error) {
	if tenant, ok := s.tenants[id]; ok {
		return tenant, nil
	}
	tenant, err := findTenant(c, id)
	if err != nil {
		return nil, err
	}
	s.tenants[id] = tenant
	return tenant, nil
}

func findTenant(c *conn, id payment.TenantID) (*payment.Tenant, error) {
	tenant := &payment.Tenant{ID: id}
	const query = `SELECT name, version, settings, created_at FROM tenant WHERE id = ?`
	err := c.query(query, []any{ident(id)}, func(r *cells) (err error) {
		tenant.Name, tenant.Version = r.text(), r.int()
		tenant.Settings, err = setting.Decode([]byte(r.text()))
		tenant.CreatedAt = row.Time(r.int())
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("tenant: %w", err)
	}
	tenant.Endpoints, err = listEndpoints(c, id)
	return tenant, err
}

func listEndpoints(c *conn, tenant payment.TenantID) ([]payment.Endpoint, error) {
	const query = `SELECT id, door, url, kinds, detail, disabled FROM endpoint
		WHERE tenant_id = ? AND deleted_at = 0 ORDER BY id`
	var endpoints []payment.Endpoint
	err := c.query(query, []any{ident(tenant)}, func(r *cells) (err error) {
		endpoint := payment.Endpoint{ID: r.uuid(), Door: payment.Door(r.text()), URL: r.text()}
		endpoint.Kinds, err = row.ParseTexts[payment.EventKind](r.text())
		endpoint.Detail, endpoint.Disabled = r.text(), r.bool()
		endpoints = append(endpoints, endpoint)
		return err
	})
	return endpoints, err
}
