package payment

import "time"

// KeyHash is a digest of tenant, scope and idempotency key.
type KeyHash [16]byte

// Fingerprint is a digest of a decoded command: what a key stands for.
type Fingerprint [16]byte

// Key is the caller's name for one intention. The zero value is no key.
type Key struct {
	Hash        KeyHash
	Fingerprint Fingerprint
	Refuses     bool // a repeat is refused even with the same request, as some doors have it
}

// KeyRecord says what a key was used for. It is written in the commit it
// stands for, so there is no "in progress" to crash in; a refusal writes none.
type KeyRecord struct {
	Tenant      TenantID
	Hash        KeyHash
	Fingerprint Fingerprint
	Subject     [16]byte // what was made
	Payment     PaymentID
	Version     int64 // the version at which the first answer is rendered again
	At          time.Time
}

// use decides what a key allows: nil and nil for a first use, the record for
// a replay, a refusal for a repeat that its door refuses or a misuse.
func (b *Book) use(key Key) (*KeyRecord, error) {
	if key.Hash == (KeyHash{}) {
		return nil, nil //nolint:nilnil // no key: nothing to replay and nothing wrong
	}
	record, used := b.keys[key.Hash]
	switch {
	case !used:
		return nil, nil //nolint:nilnil // first use
	case key.Refuses:
		return nil, &Refusal{
			Rule: RuleKey, Message: "the idempotency key was used before", Earlier: record, Asked: key.Fingerprint,
		}
	case record.Fingerprint != key.Fingerprint:
		return nil, &Refusal{
			Rule: RuleKeyMisuse, Message: "the idempotency key was used for another request", Earlier: record,
			Asked: key.Fingerprint,
		}
	default:
		return record, nil
	}
}

// keep writes the record of a key in this commit.
func (b *Book) keep(meta Meta, subject [16]byte, payment PaymentID, version int64) {
	if meta.Key.Hash == (KeyHash{}) {
		return
	}
	record := &KeyRecord{
		Tenant: meta.Tenant, Hash: meta.Key.Hash, Fingerprint: meta.Key.Fingerprint,
		Subject: subject, Payment: payment, Version: version, At: b.Now,
	}
	b.keys[record.Hash] = record
	b.Changes.Keys = append(b.Changes.Keys, record)
}
