package postgres

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/refundry/refundry/internal/auth"
	"github.com/refundry/refundry/internal/engine"
	"github.com/refundry/refundry/internal/fault"
	"github.com/refundry/refundry/internal/payment"
	"github.com/refundry/refundry/internal/setting"
	"github.com/refundry/refundry/internal/store/row"
)

// Change implements [auth.Store].
func (s *Store) Change(ctx context.Context, change auth.Change) error {
	return s.heard(ctx, func(ctx context.Context, batch [16]byte) error { return s.change(ctx, batch, change) })
}

// heard makes a change under an id of its own, and finds out what became of it.
func (s *Store) heard(ctx context.Context, change func(ctx context.Context, batch [16]byte) error) error {
	batch := s.config.NewID()
	err := change(ctx, batch)
	if !errors.Is(err, engine.ErrUncertain) {
		return err
	}
	// Nobody heard the answer to COMMIT. It runs again under the same id, which
	// only one run can commit: this one waits for the tenant's row, and so for
	// the end of the other.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fateTimeout)
	defer cancel()
	again := change(ctx, batch)
	committed, fateErr := s.Committed(ctx, batch)
	switch code := fault.CodeOf(again); {
	case again == nil || fateErr == nil && committed:
		return nil
	case fateErr == nil && (code == fault.Conflict || code == fault.NotFound):
		return again // by what it found where the other would have written
	default:
		return fmt.Errorf("%w: change %x: %w", engine.ErrFateUnknown, batch, errors.Join(err, again, fateErr))
	}
}

// fateTimeout bounds how long the fate of an unheard COMMIT is looked for.
const fateTimeout = 5 * time.Second

// change writes a change under an id.
func (s *Store) change(ctx context.Context, batch [16]byte, change auth.Change) error {
	return s.inTx(ctx, pgx.TxOptions{}, func(tx pgx.Tx) error {
		version, err := s.raise(ctx, tx, change)
		if err != nil {
			return err
		}
		events := slices.Clone(change.Events)
		tellings := make([]payment.Telling, len(events))
		for i := range events {
			events[i].Version = version
			tellings[i].Event = events[i]
		}
		if err := checkHealth(ctx, tx, change); err != nil {
			return err
		}
		w := &writer{}
		for _, credential := range change.Credentials {
			queueCredential(&w.pipe, credential)
		}
		for _, endpoint := range change.Endpoints {
			w.move(endpoint, s.config.Now())
			queueEndpoint(&w.pipe, endpoint)
		}
		w.begin(change.Enabled, change.Of, s.config.Now())
		w.deliveries(change.Deliveries)
		w.jobs(slices.Clone(change.Tasks), s.config.Lease.Microseconds())
		return taken(s.sendSealed(ctx, tx, w, batch, row.FactsOf(payment.Changes{Tellings: tellings})))
	})
}

// raise gives a tenant its next version, and its new name and settings if
// there are any.
func (s *Store) raise(ctx context.Context, tx pgx.Tx, change auth.Change) (version int64, err error) {
	if change.Tenant == nil {
		err := tx.QueryRow(ctx, `UPDATE tenant SET version = version + 1 WHERE id = $1 RETURNING version`,
			pgUUID(change.Of)).Scan(&version)
		if errors.Is(err, pgx.ErrNoRows) {
			return 0, fault.New(fault.NotFound, "no such tenant")
		}
		return version, err
	}
	tenant := change.Tenant
	settings, err := setting.Encode(tenant.Settings)
	if err != nil {
		return 0, err
	}
	if tenant.Version == 0 {
		_, err := tx.Exec(ctx, `INSERT INTO tenant (id, name, version, settings, created_at) VALUES ($1, $2, 1, $3, $4)`,
			pgUUID(tenant.ID), tenant.Name, string(settings), row.Micros(s.config.Now()))
		return 1, taken(err)
	}
	tag, err := tx.Exec(ctx, `UPDATE tenant SET name = $1, settings = $2, version = version + 1
		WHERE id = $3 AND version = $4`, tenant.Name, string(settings), pgUUID(tenant.ID), tenant.Version)
	if err == nil && tag.RowsAffected() == 0 {
		err = fault.New(fault.Conflict, "the tenant was changed meanwhile; read it again")
	}
	return tenant.Version + 1, taken(err)
}

// taken classifies the error of a row whose key another row has.
func taken(err error) error {
	answer, ok := errors.AsType[*pgconn.PgError](err)
	if ok && answer.Code == codeUniqueViolation {
		return fault.Wrap(err, fault.Conflict, "it exists, or its name is taken")
	}
	return err
}

// queueCredential writes a credential. What has ended stays so, whoever writes.
func queueCredential(pipe *pgx.Batch, k auth.Credential) {
	pipe.Queue(`INSERT INTO credential (tenant_id, id, kind, lookup, name, public, secret, created_at, revoked_at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
		ON CONFLICT (tenant_id, id) DO UPDATE SET kind = excluded.kind, lookup = excluded.lookup, name = excluded.name,
			public = excluded.public, secret = excluded.secret,
			revoked_at = CASE WHEN credential.revoked_at = 0 THEN excluded.revoked_at ELSE credential.revoked_at END`,
		pgUUID(k.Tenant), pgUUID(k.ID), string(k.Kind), k.Lookup, k.Name, k.Public, notNull(k.Secret),
		row.Micros(k.CreatedAt), row.Micros(k.RevokedAt))
}

// queueEndpoint writes an endpoint. What has ended stays so, whoever writes.
func queueEndpoint(pipe *pgx.Batch, e auth.Endpoint) {
	pipe.Queue(`INSERT INTO endpoint (tenant_id, id, door, url, kinds, detail, secret, disabled, created_at, deleted_at,
			disabled_for)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (tenant_id, id) DO UPDATE SET url = excluded.url, kinds = excluded.kinds, detail = excluded.detail,
			secret = excluded.secret, disabled = excluded.disabled, disabled_for = excluded.disabled_for,
			deleted_at = CASE WHEN endpoint.deleted_at = 0 THEN excluded.deleted_at ELSE endpoint.deleted_at END`,
		pgUUID(e.Tenant), pgUUID(e.ID), string(e.Door), e.URL, row.Texts(e.Kinds), e.Detail, notNull(e.Secret),
		e.Disabled, row.Micros(e.CreatedAt), row.Micros(e.DeletedAt), string(e.DisabledFor))
}

// notNull is bytes as an argument; none are empty, not NULL.
func notNull(bytes []byte) []byte {
	if bytes == nil {
		return []byte{}
	}
	return bytes
}

// Tenants implements [auth.Store].
func (s *Store) Tenants(ctx context.Context) ([]payment.Tenant, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, name, version, settings, created_at FROM tenant ORDER BY name`)
	if err != nil {
		return nil, unavailable(err)
	}
	var tenants []payment.Tenant
	err = each(rows, func(r scanner) (tenant payment.Tenant, err error) {
		var settings string
		var createdAt int64
		if err := r.Scan(raw(&tenant.ID), &tenant.Name, &tenant.Version, &settings, &createdAt); err != nil {
			return tenant, err
		}
		tenant.CreatedAt = row.Time(createdAt)
		tenant.Settings, err = setting.Decode([]byte(settings))
		return tenant, err
	}, func(tenant payment.Tenant) { tenants = append(tenants, tenant) })
	return tenants, unavailable(err)
}

// Tenant implements [auth.Store].
func (s *Store) Tenant(ctx context.Context, id payment.TenantID) (payment.Tenant, error) {
	tenant, err := findTenant(ctx, s.pool, id)
	if err != nil {
		return payment.Tenant{}, unavailable(err)
	}
	if tenant.Version == 0 {
		return payment.Tenant{}, fault.New(fault.NotFound, "no such tenant")
	}
	return *tenant, nil
}

const credentialColumns = `tenant_id, id, kind, lookup, name, public, secret, created_at, revoked_at,
	last_used_at`

func scanCredential(r scanner) (k auth.Credential, err error) {
	var createdAt, revokedAt, lastUsedAt int64
	err = r.Scan(raw(&k.Tenant), raw(&k.ID), &k.Kind, &k.Lookup, &k.Name, &k.Public, &k.Secret, &createdAt, &revokedAt,
		&lastUsedAt)
	k.CreatedAt, k.RevokedAt, k.LastUsedAt = row.Time(createdAt), row.Time(revokedAt), row.Time(lastUsedAt)
	return k, err
}

// NoteUses implements [auth.UseStore]. Each is a database transaction of its own:
// replicas that note many at once do not wait for each other crosswise.
func (s *Store) NoteUses(ctx context.Context, uses []auth.Use) error {
	for _, use := range uses {
		if _, err := s.pool.Exec(ctx, `UPDATE credential SET last_used_at = $1
			WHERE tenant_id = $2 AND id = $3 AND last_used_at < $1`,
			row.Micros(use.Day), pgUUID(use.Tenant), pgUUID(use.ID)); err != nil {
			return unavailable(err)
		}
	}
	return nil
}

// Credential implements [auth.Store].
func (s *Store) Credential(ctx context.Context, kind auth.Kind, lookup string) (auth.Credential, error) {
	found, err := scanCredential(s.pool.QueryRow(ctx, `SELECT `+credentialColumns+` FROM credential
		WHERE kind = $1 AND lookup = $2 AND revoked_at = 0`, string(kind), lookup))
	if errors.Is(err, pgx.ErrNoRows) {
		return auth.Credential{}, fault.New(fault.NotFound, "no such credential")
	}
	return found, unavailable(err)
}

// Credentials implements [auth.Store].
func (s *Store) Credentials(ctx context.Context, tenant payment.TenantID) ([]auth.Credential, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+credentialColumns+` FROM credential WHERE tenant_id = $1 ORDER BY id`,
		pgUUID(tenant))
	if err != nil {
		return nil, unavailable(err)
	}
	var all []auth.Credential
	err = each(rows, scanCredential, func(k auth.Credential) { all = append(all, k) })
	return all, unavailable(err)
}

// Endpoints implements [auth.Store].
func (s *Store) Endpoints(ctx context.Context, tenant payment.TenantID) ([]auth.Endpoint, error) {
	rows, err := s.pool.Query(ctx, `SELECT tenant_id, id, door, url, kinds, detail, secret, disabled, created_at,
			disabled_for
		FROM endpoint
		WHERE tenant_id = $1 AND deleted_at = 0 ORDER BY id`, pgUUID(tenant))
	if err != nil {
		return nil, unavailable(err)
	}
	var all []auth.Endpoint
	err = each(rows, func(r scanner) (e auth.Endpoint, err error) {
		var kinds string
		var createdAt int64
		if err := r.Scan(raw(&e.Tenant), raw(&e.ID), &e.Door, &e.URL, &kinds, &e.Detail, &e.Secret, &e.Disabled,
			&createdAt, &e.DisabledFor); err != nil {
			return e, err
		}
		e.CreatedAt = row.Time(createdAt)
		e.Kinds, err = row.ParseTexts[payment.EventKind](kinds)
		return e, err
	}, func(e auth.Endpoint) { all = append(all, e) })
	return all, unavailable(err)
}
