package auth

import (
	"context"
	"log/slog"
	"time"

	"github.com/refundry/refundry/internal/payment"
)

// Use says on which UTC day a credential was last used.
type Use struct {
	Tenant payment.TenantID
	ID     CredentialID
	Day    time.Time
}

// UseStore keeps when credentials were last used.
type UseStore interface {
	// NoteUses writes on which day credentials were last used. A later day stays.
	NoteUses(ctx context.Context, uses []Use) error
}

const (
	// usesPause is for how long a use is known to this replica only.
	usesPause = 30 * time.Second
	// usesPatience is for how long the store may take, with the last of them too.
	usesPatience = 5 * time.Second
)

// dayOf returns the UTC day that a time is in.
func dayOf(at time.Time) time.Time { return at.UTC().Truncate(24 * time.Hour) }

// Used notes that a caller has proven to hold a credential. It is written down
// later, once a day and replica, unless another replica has done it before.
func (a *Auth) Used(credential Credential) {
	day := dayOf(a.config.Now())
	if !credential.LastUsedAt.Before(day) {
		return
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if !a.used[credential.ID].Before(day) || len(a.uses) >= rememberMax { // a later use is noted, once these are written
		return
	}
	if len(a.used) >= rememberMax { // some are written once more
		clear(a.used)
	}
	a.used[credential.ID] = day
	a.uses = append(a.uses, Use{credential.Tenant, credential.ID, day})
}

// KeepUses writes uses down, until ctx ends and the last of them are written.
func (a *Auth) KeepUses(ctx context.Context, log *slog.Logger) {
	ticker := time.NewTicker(usesPause)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
		case <-ctx.Done():
		}
		if err := a.WriteUses(context.WithoutCancel(ctx)); err != nil {
			log.WarnContext(ctx, "use of keys not written", "error", err)
		}
		if ctx.Err() != nil {
			return
		}
	}
}

// WriteUses writes down what waits. What could not be written is noted anew when
// the credential is used next.
func (a *Auth) WriteUses(ctx context.Context) error {
	a.mutex.Lock()
	uses := a.uses
	a.uses = nil
	a.mutex.Unlock()
	if len(uses) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, usesPatience)
	defer cancel()
	err := a.config.Uses.NoteUses(ctx, uses)
	if err != nil {
		a.mutex.Lock()
		defer a.mutex.Unlock()
		for _, use := range uses {
			delete(a.used, use.ID)
		}
	}
	return err
}

// UnusedSince reports that a valid credential was not used on the day of a time,
// nor later, and was made before.
func (c Credential) UnusedSince(at time.Time) bool {
	day := dayOf(at)
	return c.RevokedAt.IsZero() && c.LastUsedAt.Before(day) && c.CreatedAt.Before(day)
}
