package dialect

import (
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/refundry/refundry/internal/auth"
)

// Limits lets each caller make so many requests per second at one replica.
// The zero value is ready for use.
type Limits struct {
	mutex  sync.Mutex
	limits map[auth.CredentialID]*rate.Limiter
}

// May reports whether a caller is within its limit; 0: there is none.
func (l *Limits) May(caller auth.CredentialID, perSecond int64, now time.Time) bool {
	if perSecond == 0 {
		return true
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.limits == nil {
		l.limits = map[auth.CredentialID]*rate.Limiter{}
	}
	limit, ok := l.limits[caller]
	if !ok {
		limit = rate.NewLimiter(rate.Limit(perSecond), int(perSecond))
		l.limits[caller] = limit
	}
	if limit.Limit() != rate.Limit(perSecond) {
		limit.SetLimit(rate.Limit(perSecond))
		limit.SetBurst(int(perSecond))
	}
	return limit.AllowN(now, 1)
}
