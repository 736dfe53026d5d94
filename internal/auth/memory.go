package auth

import "time"

const (
	rememberFor = time.Second // a change is seen everywhere after this
	rememberMax = 10_000      // entries of a kind; then all are forgotten
)

// memory is what was found a moment ago. What was not found is not kept: a
// caller who guesses must not fill it.
type memory[K comparable, V any] map[K]memo[V]

type memo[V any] struct {
	value V
	until time.Time
}

// remembered returns what is known by a key, and finds it if nothing is.
func remembered[K comparable, V any](a *Auth, known memory[K, V], key K, find func() (V, error)) (V, error) {
	now := a.config.Machine()
	a.mutex.Lock()
	memorized, ok := known[key]
	changes := a.changes
	a.mutex.Unlock()
	if ok && now.Before(memorized.until) {
		return memorized.value, nil
	}
	found, err := find()
	if err != nil {
		return found, err
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if a.changes != changes {
		return found, nil // it may have been read before a change of ours
	}
	if len(known) >= rememberMax {
		clear(known)
	}
	known[key] = memo[V]{found, now.Add(rememberFor)}
	return found, nil
}

// forget lets the next question ask the store.
func (a *Auth) forget() {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	a.changes++
	clear(a.tenants)
	clear(a.credentials)
	clear(a.owned)
	clear(a.endpoints)
}
