-- Batches of refunds, and their rows.

-- +goose Up

-- Caps, sums and full are per currency, as JSON. full has the currencies whose
-- cap was reached. next_at is the domain time before which no rows are asked for.
CREATE TABLE batch (
    tenant_id         BLOB    NOT NULL,
    id                BLOB    NOT NULL,
    status            TEXT    NOT NULL CHECK (status IN
                      ('receiving', 'ready', 'running', 'paused', 'canceled', 'done')),
    pause             TEXT    NOT NULL CHECK (pause IN ('', 'asked', 'failure', 'halted')),
    reference         TEXT    NOT NULL,
    is_dry_run        INTEGER NOT NULL CHECK (is_dry_run IN (0, 1)),
    per_second        INTEGER NOT NULL CHECK (per_second >= 0),
    caps              TEXT    NOT NULL,
    pauses_on_failure INTEGER NOT NULL CHECK (pauses_on_failure IN (0, 1)),
    any_spelling      INTEGER NOT NULL CHECK (any_spelling IN (0, 1)),
    received          INTEGER NOT NULL,
    waiting           INTEGER NOT NULL CHECK (waiting >= 0),
    refunded          INTEGER NOT NULL CHECK (refunded >= 0),
    allowed           INTEGER NOT NULL CHECK (allowed >= 0),
    refused           INTEGER NOT NULL CHECK (refused >= 0),
    invalid           INTEGER NOT NULL CHECK (invalid >= 0),
    skipped           INTEGER NOT NULL CHECK (skipped >= 0),
    sums              TEXT    NOT NULL,
    full_currencies   TEXT    NOT NULL,
    bytes             INTEGER NOT NULL CHECK (bytes >= 0),
    passed            INTEGER NOT NULL CHECK (passed >= 0),
    next_at           INTEGER NOT NULL,
    created_by        TEXT    NOT NULL,
    started_by        TEXT    NOT NULL,
    started_for       TEXT    NOT NULL,
    version           INTEGER NOT NULL CHECK (version > 0),
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    started_at        INTEGER NOT NULL,
    ended_at          INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT every_row_is_counted CHECK (received = waiting + refunded + allowed + refused + invalid + skipped),
    CONSTRAINT done_is_done CHECK (status <> 'done' OR waiting = 0),
    CONSTRAINT a_dry_run_refunds_nothing CHECK (is_dry_run = 0 OR refunded = 0)
) WITHOUT ROWID;
CREATE INDEX batch_by_time ON batch (tenant_id, created_at, id);

-- The body is kept while a row waits. reason says, as JSON, why it is no refund.
CREATE TABLE batch_row (
    tenant_id  BLOB    NOT NULL,
    batch_id   BLOB    NOT NULL,
    number     INTEGER NOT NULL CHECK (number > 0),
    status     TEXT    NOT NULL CHECK (status IN
               ('waiting', 'refunded', 'allowed', 'refused', 'invalid', 'skipped')),
    key        TEXT,
    body       BLOB,
    payment_id BLOB,
    refund_id  BLOB,
    amount     INTEGER NOT NULL CHECK (amount >= 0),
    currency   TEXT    NOT NULL,
    reason     TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, number),
    CONSTRAINT a_refund_is_named CHECK (status <> 'refunded' OR (refund_id IS NOT NULL AND amount > 0)),
    CONSTRAINT what_waits_has_a_body CHECK (status <> 'waiting' OR body IS NOT NULL)
) WITHOUT ROWID;
CREATE INDEX batch_row_waiting ON batch_row (tenant_id, batch_id, number) WHERE status = 'waiting';
CREATE UNIQUE INDEX batch_row_by_key ON batch_row (tenant_id, batch_id, key)
    WHERE key IS NOT NULL AND status <> 'invalid';
CREATE INDEX batch_row_allowed ON batch_row (tenant_id, batch_id, payment_id, number) WHERE status = 'allowed';

-- +goose Down
DROP TABLE batch_row;
DROP TABLE batch;
