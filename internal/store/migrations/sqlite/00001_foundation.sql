-- Alike in both stores: ids are 16 bytes that grow with time, times are integer
-- microseconds (0: none), amounts are minor units, JSON is text, the tenant
-- leads every key. Rules stand here again as CHECKs: a bug in Go meets a wall.

-- +goose Up
CREATE TABLE tenant (
    id         BLOB    NOT NULL PRIMARY KEY,
    name       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    settings   TEXT    NOT NULL,
    created_at INTEGER NOT NULL
) WITHOUT ROWID;
CREATE UNIQUE INDEX tenant_by_name ON tenant (name);

-- How callers prove who they are. secret is encrypted and bound to its row.
CREATE TABLE credential (
    tenant_id  BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    kind       TEXT    NOT NULL,
    lookup     TEXT    NOT NULL,
    name       TEXT    NOT NULL,
    public     TEXT    NOT NULL,
    secret     BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    revoked_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX credential_by_lookup ON credential (kind, lookup);

CREATE TABLE endpoint (
    tenant_id  BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    door       TEXT    NOT NULL,
    url        TEXT    NOT NULL,
    kinds      TEXT    NOT NULL,
    secret     BLOB    NOT NULL,
    disabled   INTEGER NOT NULL CHECK (disabled IN (0, 1)),
    created_at INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

CREATE TABLE payment_order (
    tenant_id  BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    home       TEXT    NOT NULL,
    status     TEXT    NOT NULL CHECK (status IN ('open', 'closed', 'split', 'settled', 'canceled')),
    currency   TEXT    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    metadata   TEXT    NOT NULL,
    version    INTEGER NOT NULL CHECK (version > 0),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

CREATE TABLE payment (
    tenant_id    BLOB    NOT NULL,
    id           BLOB    NOT NULL,
    order_id     BLOB,
    order_status TEXT    NOT NULL,
    home         TEXT    NOT NULL,
    connector    TEXT    NOT NULL,
    reference    TEXT    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    status       TEXT    NOT NULL CHECK (status IN
                 ('created', 'pending', 'authorized', 'captured', 'declined', 'failed', 'canceled', 'expired')),
    captured     INTEGER NOT NULL CHECK (captured >= 0 AND captured <= amount),
    refunded     INTEGER NOT NULL CHECK (refunded >= 0),
    reserved     INTEGER NOT NULL CHECK (reserved >= 0),
    disputed     INTEGER NOT NULL CHECK (disputed >= 0),
    excess       INTEGER NOT NULL CHECK (excess >= 0),
    item_count   INTEGER NOT NULL,
    expires_at   INTEGER NOT NULL,
    history      TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT never_more_than_was_taken CHECK (refunded + reserved + disputed <= captured + excess)
) WITHOUT ROWID;
CREATE INDEX payment_by_order ON payment (tenant_id, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE capture (
    tenant_id  BLOB    NOT NULL,
    payment_id BLOB    NOT NULL,
    id         BLOB    NOT NULL,
    amount     INTEGER NOT NULL CHECK (amount > 0),
    is_final   INTEGER NOT NULL CHECK (is_final IN (0, 1)),
    status     TEXT    NOT NULL CHECK (status IN ('pending', 'settled', 'failed')),
    history    TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, id)
) WITHOUT ROWID;

CREATE TABLE item (
    tenant_id   BLOB    NOT NULL,
    payment_id  BLOB    NOT NULL,
    position    INTEGER NOT NULL CHECK (position > 0),
    name        TEXT    NOT NULL,
    quantity    INTEGER NOT NULL CHECK (quantity > 0),
    unit_amount INTEGER NOT NULL,
    tax_rate    TEXT    NOT NULL,
    tax         INTEGER NOT NULL CHECK (tax >= 0 AND tax <= total),
    total       INTEGER NOT NULL CHECK (total >= 0),
    merchant    TEXT    NOT NULL,
    metadata    TEXT    NOT NULL,
    tags        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, position)
) WITHOUT ROWID;

CREATE TABLE refund (
    tenant_id    BLOB    NOT NULL,
    id           BLOB    NOT NULL,
    payment_id   BLOB    NOT NULL,
    amount       INTEGER NOT NULL CHECK (amount > 0),
    currency     TEXT    NOT NULL CHECK (length(currency) = 3),
    status       TEXT    NOT NULL CHECK (status IN
                 ('awaiting_approval', 'scheduled', 'pending', 'unknown', 'succeeded', 'declined', 'failed',
                  'canceled', 'returned')),
    needs_review INTEGER NOT NULL CHECK (needs_review IN (0, 1)),
    source       TEXT    NOT NULL,
    door         TEXT    NOT NULL,
    actor        TEXT    NOT NULL,
    reference    TEXT    NOT NULL,
    connector    TEXT    NOT NULL,
    submitted_at INTEGER NOT NULL,
    history      TEXT    NOT NULL,
    detail       TEXT    NOT NULL,
    version      INTEGER NOT NULL CHECK (version > 0),
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT unknown_was_submitted CHECK (status <> 'unknown' OR submitted_at > 0)
) WITHOUT ROWID;
CREATE INDEX refund_by_payment ON refund (tenant_id, payment_id);

CREATE TABLE attempt (
    tenant_id  BLOB    NOT NULL,
    refund_id  BLOB    NOT NULL,
    number     INTEGER NOT NULL CHECK (number > 0),
    id         BLOB    NOT NULL,
    connector  TEXT    NOT NULL,
    outcome    TEXT    NOT NULL CHECK (outcome IN
               ('open', 'pending', 'unknown', 'not_sent', 'succeeded', 'declined', 'failed', 'returned')),
    started_at INTEGER NOT NULL,
    ended_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, refund_id, number)
) WITHOUT ROWID;

CREATE TABLE dispute (
    tenant_id     BLOB    NOT NULL,
    id            BLOB    NOT NULL,
    payment_id    BLOB    NOT NULL,
    kind          TEXT    NOT NULL CHECK (kind IN ('inquiry', 'dispute', 'pre_arbitration')),
    amount        INTEGER NOT NULL CHECK (amount >= 0),
    currency      TEXT    NOT NULL CHECK (length(currency) = 3),
    status        TEXT    NOT NULL CHECK (status IN
                  ('open', 'challenged', 'won', 'lost', 'accepted', 'expired', 'canceled')),
    history       TEXT    NOT NULL,
    connector     TEXT    NOT NULL,
    processor_ref TEXT    NOT NULL,
    reason        TEXT    NOT NULL,
    version       INTEGER NOT NULL CHECK (version > 0),
    created_at    INTEGER NOT NULL,
    updated_at    INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX dispute_by_payment ON dispute (tenant_id, payment_id);

-- A door's own documents, opaque here. payment_id is the order's id for an
-- order that has no payment yet.
CREATE TABLE facet (
    tenant_id  BLOB    NOT NULL,
    payment_id BLOB    NOT NULL,
    subject_id BLOB    NOT NULL,
    door       TEXT    NOT NULL,
    version    INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, subject_id, door, version)
) WITHOUT ROWID;

CREATE TABLE alias (
    tenant_id  BLOB NOT NULL,
    kind       TEXT NOT NULL,
    value      TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    PRIMARY KEY (tenant_id, kind, value)
) WITHOUT ROWID;

-- What an idempotency key was used for. hash covers tenant, scope and key.
CREATE TABLE idempotency_key (
    tenant_id   BLOB    NOT NULL,
    hash        BLOB    NOT NULL,
    fingerprint BLOB    NOT NULL,
    subject_id  BLOB    NOT NULL,
    payment_id  BLOB    NOT NULL,
    version     INTEGER NOT NULL,
    created_at  INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, hash)
) WITHOUT ROWID;

-- The books. An entry is the postings of one subject and version; rows are
-- never changed. subject_id is the payment, refund or dispute that moved.
CREATE TABLE posting (
    tenant_id  BLOB    NOT NULL,
    subject_id BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    number     INTEGER NOT NULL,
    payment_id BLOB    NOT NULL,
    cause      TEXT    NOT NULL,
    debit      TEXT    NOT NULL,
    credit     TEXT    NOT NULL CHECK (credit <> debit),
    amount     INTEGER NOT NULL CHECK (amount > 0),
    currency   TEXT    NOT NULL CHECK (length(currency) = 3),
    at         INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, subject_id, version, number)
) WITHOUT ROWID;

-- The feed and the audit trail. commit_number follows the order of commits.
CREATE TABLE event (
    tenant_id     BLOB    NOT NULL,
    commit_number INTEGER NOT NULL,
    number        INTEGER NOT NULL,
    kind          TEXT    NOT NULL,
    payment_id    BLOB    NOT NULL,
    subject_id    BLOB    NOT NULL,
    version       INTEGER NOT NULL,
    at            INTEGER NOT NULL,
    actor         TEXT    NOT NULL,
    door          TEXT    NOT NULL,
    request       TEXT    NOT NULL,
    detail        TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, commit_number, number)
) WITHOUT ROWID;

CREATE TABLE commit_row (
    number   INTEGER PRIMARY KEY,
    batch_id BLOB    NOT NULL UNIQUE,
    at       INTEGER NOT NULL,
    digests  BLOB    NOT NULL,
    hash     BLOB    NOT NULL
);

-- Work that a commit left to be done. due_at is domain time, lease_until the
-- database's own. A claimed job is leased; again_at is when it was asked for
-- again meanwhile; one that buried its holders is left for a person.
CREATE TABLE job (
    tenant_id   BLOB    NOT NULL,
    subject_id  BLOB    NOT NULL,
    kind        TEXT    NOT NULL,
    payment_id  BLOB    NOT NULL,
    queue       TEXT    NOT NULL,
    due_at      INTEGER NOT NULL,
    thread      BLOB,
    turn        INTEGER NOT NULL,
    runs        INTEGER NOT NULL,
    claim       BLOB,
    lease_until INTEGER NOT NULL,
    again_at    INTEGER NOT NULL,
    buried_at   INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, subject_id, kind),
    CONSTRAINT leased_or_not CHECK ((claim IS NULL) = (lease_until = 0))
) WITHOUT ROWID;
CREATE INDEX job_ready ON job (queue, due_at) WHERE claim IS NULL AND buried_at = 0;
CREATE INDEX job_leased ON job (lease_until) WHERE claim IS NOT NULL;
CREATE INDEX job_thread ON job (thread, turn) WHERE thread IS NOT NULL;

-- One event for one endpoint. The body is kept from the first attempt on.
CREATE TABLE delivery (
    tenant_id   BLOB    NOT NULL,
    id          BLOB    NOT NULL,
    endpoint_id BLOB    NOT NULL,
    door        TEXT    NOT NULL,
    url         TEXT    NOT NULL,
    kind        TEXT    NOT NULL,
    payment_id  BLOB    NOT NULL,
    subject_id  BLOB    NOT NULL,
    version     INTEGER NOT NULL,
    event_at    INTEGER NOT NULL,
    status      TEXT    NOT NULL CHECK (status IN ('open', 'delivered', 'given_up', 'canceled')),
    attempts    INTEGER NOT NULL,
    first_at    INTEGER NOT NULL,
    ended_at    INTEGER NOT NULL,
    body        BLOB,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;

CREATE TABLE delivery_attempt (
    tenant_id   BLOB    NOT NULL,
    delivery_id BLOB    NOT NULL,
    number      INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    took        INTEGER NOT NULL,
    status_code INTEGER NOT NULL,
    error       TEXT    NOT NULL,
    answer      TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, number)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE delivery_attempt;
DROP TABLE delivery;
DROP TABLE job;
DROP TABLE commit_row;
DROP TABLE event;
DROP TABLE posting;
DROP TABLE idempotency_key;
DROP TABLE alias;
DROP TABLE facet;
DROP TABLE dispute;
DROP TABLE attempt;
DROP TABLE refund;
DROP TABLE item;
DROP TABLE capture;
DROP TABLE payment;
DROP TABLE payment_order;
DROP TABLE endpoint;
DROP TABLE credential;
DROP TABLE tenant;
