package sqlite

import (
	"context"
	"errors"
	"slices"

	driversqlite "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/row"
)

// Change implements [auth.Store].
func (s *Store) Change(_ context.Context, change auth.Change) error {
	events := slices.Clone(change.Events)
	return s.audited(events, func(c *conn) error {
		version, err := s.raise(c, change)
		if err != nil {
			return err
		}
		for i := range events {
			events[i].Version = version
		}
		for _, credential := range change.Credentials {
			if err := putCredential(c, credential); err != nil {
				return err
			}
		}
		for _, endpoint := range change.Endpoints {
			if err := s.move(c, endpoint); err != nil {
				return err
			}
			if err := putEndpoint(c, endpoint); err != nil {
				return err
			}
		}
		if err := s.checkHealth(c, change); err != nil {
			return err
		}
		told := &payment.Changes{Deliveries: change.Deliveries, Tasks: slices.Clone(change.Tasks)}
		if err := saveDeliveries(c, told); err != nil {
			return err
		}
		return s.saveJobs(c, told)
	})
}

// raise gives a tenant its next version, and its new name and settings if
// there are any.
func (s *Store) raise(c *conn, change auth.Change) (version int64, err error) {
	if change.Tenant == nil {
		const query = `UPDATE tenant SET version = version + 1 WHERE id = ? RETURNING version`
		err := c.query(query, []any{ident(change.Of)}, func(r *cells) error {
			version = r.int()
			return nil
		})
		if err == nil && version == 0 {
			err = fault.New(fault.NotFound, "no such tenant")
		}
		return version, err
	}
	tenant := change.Tenant
	settings, err := setting.Encode(tenant.Settings)
	if err != nil {
		return 0, err
	}
	if tenant.Version == 0 {
		const insert = `INSERT INTO tenant (id, name, version, settings, created_at) VALUES (?, ?, 1, ?, ?)`
		_, err := c.exec(insert, ident(tenant.ID), tenant.Name, string(settings), row.Micros(s.config.Now()))
		return 1, taken(err, "the tenant")
	}
	const update = `UPDATE tenant SET name = ?, settings = ?, version = version + 1 WHERE id = ? AND version = ?`
	changed, err := c.exec(update, tenant.Name, string(settings), ident(tenant.ID), tenant.Version)
	if err == nil && changed == 0 {
		err = fault.New(fault.Conflict, "the tenant was changed meanwhile; read it again")
	}
	return tenant.Version + 1, taken(err, "the tenant")
}

// taken classifies the error of a row whose key another row has.
func taken(err error, what string) error {
	driver, ok := errors.AsType[*driversqlite.Error](err)
	if ok && (driver.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || driver.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY) {
		return fault.Wrap(err, fault.Conflict, "%s exists, or its name is taken", what)
	}
	return err
}

// putCredential writes a credential. What has ended stays so, whoever writes.
func putCredential(c *conn, k auth.Credential) error {
	const query = `INSERT INTO credential (tenant_id, id, kind, lookup, name, public, secret, created_at, revoked_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, lookup = excluded.lookup, name = excluded.name,
			public = excluded.public, secret = excluded.secret,
			revoked_at = CASE WHEN credential.revoked_at = 0 THEN excluded.revoked_at ELSE credential.revoked_at END`
	_, err := c.exec(query, ident(k.Tenant), ident(k.ID), string(k.Kind), k.Lookup, k.Name, k.Public, notNull(k.Secret),
		row.Micros(k.CreatedAt), row.Micros(k.RevokedAt))
	return taken(err, "the credential")
}

// putEndpoint writes an endpoint. What has ended stays so, whoever writes.
func putEndpoint(c *conn, e auth.Endpoint) error {
	const query = `INSERT INTO endpoint (tenant_id, id, door, url, kinds, detail, secret, disabled, created_at, deleted_at,
			disabled_for)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (tenant_id, id) DO UPDATE SET url = excluded.url, kinds = excluded.kinds, detail = excluded.detail,
			secret = excluded.secret, disabled = excluded.disabled, disabled_for = excluded.disabled_for,
			deleted_at = CASE WHEN endpoint.deleted_at = 0 THEN excluded.deleted_at ELSE endpoint.deleted_at END`
	_, err := c.exec(query, ident(e.Tenant), ident(e.ID), string(e.Door), e.URL, row.Texts(e.Kinds), e.Detail,
		notNull(e.Secret), e.Disabled, row.Micros(e.CreatedAt), row.Micros(e.DeletedAt), string(e.DisabledFor))
	return taken(err, "the endpoint")
}

// notNull is bytes as an argument; none are empty, not NULL.
func notNull(bytes []byte) []byte {
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

// Tenants implements [auth.Store].
func (s *Store) Tenants(_ context.Context) ([]payment.Tenant, error) {
	var tenants []payment.Tenant
	err := s.read(func(c *conn) error {
		const query = `SELECT id, name, version, settings, created_at FROM tenant ORDER BY name`
		return c.query(query, nil, func(r *cells) (err error) {
			tenant := payment.Tenant{ID: r.uuid(), Name: r.text(), Version: r.int()}
			tenant.Settings, err = setting.Decode([]byte(r.text()))
			tenant.CreatedAt = row.Time(r.int())
			tenants = append(tenants, tenant)
			return err
		})
	})
	return tenants, err
}

// Tenant implements [auth.Store].
func (s *Store) Tenant(_ context.Context, id payment.TenantID) (tenant payment.Tenant, err error) {
	err = s.snapshot(func(c *conn) error {
		found, err := findTenant(c, id)
		if err != nil {
			return err
		}
		if found.Version == 0 {
			return fault.New(fault.NotFound, "no such tenant")
		}
		tenant = *found
		return nil
	})
	return tenant, err
}

const credentialColumns = `tenant_id, id, kind, lookup, name, public, secret, created_at, revoked_at,
	last_used_at`

func scanCredential(r *cells) auth.Credential {
	return auth.Credential{
		Tenant: r.uuid(), ID: r.uuid(), Kind: auth.Kind(r.text()), Lookup: r.text(), Name: r.text(), Public: r.text(),
		Secret: r.bytes(), CreatedAt: row.Time(r.int()), RevokedAt: row.Time(r.int()),
		LastUsedAt: row.Time(r.int()),
	}
}

// NoteUses implements [auth.UseStore].
func (s *Store) NoteUses(_ context.Context, uses []auth.Use) error {
	const note = `UPDATE credential SET last_used_at = ?1 WHERE tenant_id = ?2 AND id = ?3 AND last_used_at < ?1`
	return s.write(func(c *conn) error {
		for _, use := range uses {
			if _, err := c.exec(note, row.Micros(use.Day), ident(use.Tenant), ident(use.ID)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Credential implements [auth.Store].
func (s *Store) Credential(_ context.Context, kind auth.Kind, lookup string) (found auth.Credential, err error) {
	err = s.read(func(c *conn) error {
		const query = `SELECT ` + credentialColumns + ` FROM credential WHERE kind = ? AND lookup = ? AND revoked_at = 0`
		return c.query(query, []any{string(kind), lookup}, func(r *cells) error {
			found = scanCredential(r)
			return nil
		})
	})
	if err == nil && found.ID.IsZero() {
		err = fault.New(fault.NotFound, "no such credential")
	}
	return found, err
}

// Credentials implements [auth.Store].
func (s *Store) Credentials(_ context.Context, tenant payment.TenantID) ([]auth.Credential, error) {
	var all []auth.Credential
	err := s.read(func(c *conn) error {
		const query = `SELECT ` + credentialColumns + ` FROM credential WHERE tenant_id = ? ORDER BY id`
		return c.query(query, []any{ident(tenant)}, func(r *cells) error {
			all = append(all, scanCredential(r))
			return nil
		})
	})
	return all, err
}

// Endpoints implements [auth.Store].
func (s *Store) Endpoints(_ context.Context, tenant payment.TenantID) ([]auth.Endpoint, error) {
	var all []auth.Endpoint
	err := s.read(func(c *conn) error {
		const query = `SELECT tenant_id, id, door, url, kinds, detail, secret, disabled, created_at, disabled_for FROM endpoint
			WHERE tenant_id = ? AND deleted_at = 0 ORDER BY id`
		return c.query(query, []any{ident(tenant)}, func(r *cells) (err error) {
			e := auth.Endpoint{
				Tenant:   r.uuid(),
				Endpoint: payment.Endpoint{ID: r.uuid(), Door: payment.Door(r.text()), URL: r.text()},
			}
			e.Kinds, err = row.ParseTexts[payment.EventKind](r.text())
			e.Detail, e.Secret, e.Disabled, e.CreatedAt = r.text(), r.bytes(), r.bool(), row.Time(r.int())
			e.DisabledFor = payment.DisabledFor(r.text())
			all = append(all, e)
			return err
		})
	})
	return all, err
}
