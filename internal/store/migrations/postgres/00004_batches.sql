-- Batches of refunds, and their rows.

-- +goose Up

-- Caps, sums and full are per currency, as JSON. full has the currencies whose
-- cap was reached. next_at is the domain time before which no rows are asked for.
CREATE TABLE batch (
    tenant_id         uuid             NOT NULL,
    id                uuid             NOT NULL,
    status            text COLLATE "C" NOT NULL CHECK (status IN
                      ('receiving', 'ready', 'running', 'paused', 'canceled', 'done')),
    pause             text COLLATE "C" NOT NULL CHECK (pause IN ('', 'asked', 'failure', 'halted')),
    reference         text COLLATE "C" NOT NULL,
    is_dry_run        boolean          NOT NULL,
    per_second        bigint           NOT NULL CHECK (per_second >= 0),
    caps              text COLLATE "C" NOT NULL,
    pauses_on_failure boolean          NOT NULL,
    any_spelling      boolean          NOT NULL,
    received          bigint           NOT NULL,
    waiting           bigint           NOT NULL CHECK (waiting >= 0),
    refunded          bigint           NOT NULL CHECK (refunded >= 0),
    allowed           bigint           NOT NULL CHECK (allowed >= 0),
    refused           bigint           NOT NULL CHECK (refused >= 0),
    invalid           bigint           NOT NULL CHECK (invalid >= 0),
    skipped           bigint           NOT NULL CHECK (skipped >= 0),
    sums              text COLLATE "C" NOT NULL,
    full_currencies   text COLLATE "C" NOT NULL,
    bytes             bigint           NOT NULL CHECK (bytes >= 0),
    passed            bigint           NOT NULL CHECK (passed >= 0),
    next_at           bigint           NOT NULL,
    created_by        text COLLATE "C" NOT NULL,
    started_by        text COLLATE "C" NOT NULL,
    started_for       text COLLATE "C" NOT NULL,
    version           bigint           NOT NULL CHECK (version > 0),
    created_at        bigint           NOT NULL,
    updated_at        bigint           NOT NULL,
    started_at        bigint           NOT NULL,
    ended_at          bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT every_row_is_counted CHECK (received = waiting + refunded + allowed + refused + invalid + skipped),
    CONSTRAINT done_is_done CHECK (status <> 'done' OR waiting = 0),
    CONSTRAINT a_dry_run_refunds_nothing CHECK (NOT is_dry_run OR refunded = 0)
);
CREATE INDEX batch_by_time ON batch (tenant_id, created_at, id);

-- The body is kept while a row waits. reason says, as JSON, why it is no refund.
CREATE TABLE batch_row (
    tenant_id  uuid             NOT NULL,
    batch_id   uuid             NOT NULL,
    number     bigint           NOT NULL CHECK (number > 0),
    status     text COLLATE "C" NOT NULL CHECK (status IN
               ('waiting', 'refunded', 'allowed', 'refused', 'invalid', 'skipped')),
    key        text COLLATE "C",
    body       bytea,
    payment_id uuid,
    refund_id  uuid,
    amount     bigint           NOT NULL CHECK (amount >= 0),
    currency   text COLLATE "C" NOT NULL,
    reason     text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, batch_id, number),
    CONSTRAINT a_refund_is_named CHECK (status <> 'refunded' OR (refund_id IS NOT NULL AND amount > 0)),
    CONSTRAINT what_waits_has_a_body CHECK (status <> 'waiting' OR body IS NOT NULL)
);
CREATE INDEX batch_row_waiting ON batch_row (tenant_id, batch_id, number) WHERE status = 'waiting';
CREATE UNIQUE INDEX batch_row_by_key ON batch_row (tenant_id, batch_id, key)
    WHERE key IS NOT NULL AND status <> 'invalid';
CREATE INDEX batch_row_allowed ON batch_row (tenant_id, batch_id, payment_id, number) WHERE status = 'allowed';

-- +goose Down
DROP TABLE batch_row;
DROP TABLE batch;
