-- Alike in both stores: ids are 16 bytes that grow with time, times are integer
-- microseconds (0: none), amounts are minor units, JSON is text, the tenant
-- leads every key. Rules stand here again as CHECKs: a bug in Go meets a wall.
-- Text compares bytewise (COLLATE "C"), as it does in SQLite.

-- +goose Up
CREATE TABLE tenant (
    id         uuid             NOT NULL PRIMARY KEY,
    name       text COLLATE "C" NOT NULL,
    version    bigint           NOT NULL,
    settings   text COLLATE "C" NOT NULL,
    created_at bigint           NOT NULL
);
CREATE UNIQUE INDEX tenant_by_name ON tenant (name);

-- How callers prove who they are. secret is encrypted and bound to its row.
CREATE TABLE credential (
    tenant_id  uuid             NOT NULL,
    id         uuid             NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    lookup     text COLLATE "C" NOT NULL,
    name       text COLLATE "C" NOT NULL,
    public     text COLLATE "C" NOT NULL,
    secret     bytea            NOT NULL,
    created_at bigint           NOT NULL,
    revoked_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE UNIQUE INDEX credential_by_lookup ON credential (kind, lookup);

CREATE TABLE endpoint (
    tenant_id  uuid             NOT NULL,
    id         uuid             NOT NULL,
    door       text COLLATE "C" NOT NULL,
    url        text COLLATE "C" NOT NULL,
    kinds      text COLLATE "C" NOT NULL,
    secret     bytea            NOT NULL,
    disabled   boolean          NOT NULL,
    created_at bigint           NOT NULL,
    deleted_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE payment_order (
    tenant_id  uuid             NOT NULL,
    id         uuid             NOT NULL,
    home       text COLLATE "C" NOT NULL,
    status     text COLLATE "C" NOT NULL CHECK (status IN ('open', 'closed', 'split', 'settled', 'canceled')),
    currency   text COLLATE "C" NOT NULL,
    amount     bigint           NOT NULL CHECK (amount >= 0),
    metadata   text COLLATE "C" NOT NULL,
    version    bigint           NOT NULL CHECK (version > 0),
    created_at bigint           NOT NULL,
    updated_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE payment (
    tenant_id    uuid             NOT NULL,
    id           uuid             NOT NULL,
    order_id     uuid,
    order_status text COLLATE "C" NOT NULL,
    home         text COLLATE "C" NOT NULL,
    connector    text COLLATE "C" NOT NULL,
    reference    text COLLATE "C" NOT NULL,
    amount       bigint           NOT NULL CHECK (amount > 0),
    currency     text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    status       text COLLATE "C" NOT NULL CHECK (status IN
                 ('created', 'pending', 'authorized', 'captured', 'declined', 'failed', 'canceled', 'expired')),
    captured     bigint           NOT NULL CHECK (captured >= 0 AND captured <= amount),
    refunded     bigint           NOT NULL CHECK (refunded >= 0),
    reserved     bigint           NOT NULL CHECK (reserved >= 0),
    disputed     bigint           NOT NULL CHECK (disputed >= 0),
    excess       bigint           NOT NULL CHECK (excess >= 0),
    item_count   bigint           NOT NULL,
    expires_at   bigint           NOT NULL,
    history      text COLLATE "C" NOT NULL,
    detail       text COLLATE "C" NOT NULL,
    version      bigint           NOT NULL CHECK (version > 0),
    created_at   bigint           NOT NULL,
    updated_at   bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT never_more_than_was_taken CHECK (refunded + reserved + disputed <= captured + excess)
) WITH (fillfactor = 80); -- room for updates of totals beside the row
CREATE INDEX payment_by_order ON payment (tenant_id, order_id) WHERE order_id IS NOT NULL;

CREATE TABLE capture (
    tenant_id  uuid             NOT NULL,
    payment_id uuid             NOT NULL,
    id         uuid             NOT NULL,
    amount     bigint           NOT NULL CHECK (amount > 0),
    is_final   boolean          NOT NULL,
    status     text COLLATE "C" NOT NULL CHECK (status IN ('pending', 'settled', 'failed')),
    history    text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, id)
);

CREATE TABLE item (
    tenant_id   uuid             NOT NULL,
    payment_id  uuid             NOT NULL,
    position    bigint           NOT NULL CHECK (position > 0),
    name        text COLLATE "C" NOT NULL,
    quantity    bigint           NOT NULL CHECK (quantity > 0),
    unit_amount bigint           NOT NULL,
    tax_rate    text COLLATE "C" NOT NULL,
    tax         bigint           NOT NULL CHECK (tax >= 0 AND tax <= total),
    total       bigint           NOT NULL CHECK (total >= 0),
    merchant    text COLLATE "C" NOT NULL,
    metadata    text COLLATE "C" NOT NULL,
    tags        text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, position)
);

CREATE TABLE refund (
    tenant_id    uuid             NOT NULL,
    id           uuid             NOT NULL,
    payment_id   uuid             NOT NULL,
    amount       bigint           NOT NULL CHECK (amount > 0),
    currency     text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    status       text COLLATE "C" NOT NULL CHECK (status IN
                 ('awaiting_approval', 'scheduled', 'pending', 'unknown', 'succeeded', 'declined', 'failed',
                  'canceled', 'returned')),
    needs_review boolean          NOT NULL,
    source       text COLLATE "C" NOT NULL,
    door         text COLLATE "C" NOT NULL,
    actor        text COLLATE "C" NOT NULL,
    reference    text COLLATE "C" NOT NULL,
    connector    text COLLATE "C" NOT NULL,
    submitted_at bigint           NOT NULL,
    history      text COLLATE "C" NOT NULL,
    detail       text COLLATE "C" NOT NULL,
    version      bigint           NOT NULL CHECK (version > 0),
    created_at   bigint           NOT NULL,
    updated_at   bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id),
    CONSTRAINT unknown_was_submitted CHECK (status <> 'unknown' OR submitted_at > 0)
);
CREATE INDEX refund_by_payment ON refund (tenant_id, payment_id);

CREATE TABLE attempt (
    tenant_id  uuid             NOT NULL,
    refund_id  uuid             NOT NULL,
    number     bigint           NOT NULL CHECK (number > 0),
    id         uuid             NOT NULL,
    connector  text COLLATE "C" NOT NULL,
    outcome    text COLLATE "C" NOT NULL CHECK (outcome IN
               ('open', 'pending', 'unknown', 'not_sent', 'succeeded', 'declined', 'failed', 'returned')),
    started_at bigint           NOT NULL,
    ended_at   bigint           NOT NULL,
    PRIMARY KEY (tenant_id, refund_id, number)
);

CREATE TABLE dispute (
    tenant_id     uuid             NOT NULL,
    id            uuid             NOT NULL,
    payment_id    uuid             NOT NULL,
    kind          text COLLATE "C" NOT NULL CHECK (kind IN ('inquiry', 'dispute', 'pre_arbitration')),
    amount        bigint           NOT NULL CHECK (amount >= 0),
    currency      text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    status        text COLLATE "C" NOT NULL CHECK (status IN
                  ('open', 'challenged', 'won', 'lost', 'accepted', 'expired', 'canceled')),
    history       text COLLATE "C" NOT NULL,
    connector     text COLLATE "C" NOT NULL,
    processor_ref text COLLATE "C" NOT NULL,
    reason        text COLLATE "C" NOT NULL,
    version       bigint           NOT NULL CHECK (version > 0),
    created_at    bigint           NOT NULL,
    updated_at    bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX dispute_by_payment ON dispute (tenant_id, payment_id);

-- A door's own documents, opaque here. payment_id is the order's id for an
-- order that has no payment yet.
CREATE TABLE facet (
    tenant_id  uuid             NOT NULL,
    payment_id uuid             NOT NULL,
    subject_id uuid             NOT NULL,
    door       text COLLATE "C" NOT NULL,
    version    bigint           NOT NULL,
    body       bytea            NOT NULL,
    PRIMARY KEY (tenant_id, payment_id, subject_id, door, version)
);

CREATE TABLE alias (
    tenant_id  uuid             NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    value      text COLLATE "C" NOT NULL,
    subject_id uuid             NOT NULL,
    PRIMARY KEY (tenant_id, kind, value)
);

-- What an idempotency key was used for. hash covers tenant, scope and key.
CREATE TABLE idempotency_key (
    tenant_id   uuid             NOT NULL,
    hash        uuid             NOT NULL,
    fingerprint uuid             NOT NULL,
    subject_id  uuid             NOT NULL,
    payment_id  uuid             NOT NULL,
    version     bigint           NOT NULL,
    created_at  bigint           NOT NULL,
    PRIMARY KEY (tenant_id, hash)
);

-- The books. An entry is the postings of one subject and version; rows are
-- never changed. subject_id is the payment, refund or dispute that moved.
CREATE TABLE posting (
    tenant_id  uuid             NOT NULL,
    subject_id uuid             NOT NULL,
    version    bigint           NOT NULL,
    number     bigint           NOT NULL,
    payment_id uuid             NOT NULL,
    cause      text COLLATE "C" NOT NULL,
    debit      text COLLATE "C" NOT NULL,
    credit     text COLLATE "C" NOT NULL CHECK (credit <> debit),
    amount     bigint           NOT NULL CHECK (amount > 0),
    currency   text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    at         bigint           NOT NULL,
    PRIMARY KEY (tenant_id, subject_id, version, number)
);

-- The feed and the audit trail. commit_number follows the order of commits.
CREATE TABLE event (
    tenant_id     uuid             NOT NULL,
    commit_number bigint           NOT NULL,
    number        bigint           NOT NULL,
    kind          text COLLATE "C" NOT NULL,
    payment_id    uuid             NOT NULL,
    subject_id    uuid             NOT NULL,
    version       bigint           NOT NULL,
    at            bigint           NOT NULL,
    actor         text COLLATE "C" NOT NULL,
    door          text COLLATE "C" NOT NULL,
    request       text COLLATE "C" NOT NULL,
    detail        text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, commit_number, number)
);

CREATE TABLE commit_row (
    number   bigint           NOT NULL PRIMARY KEY,
    batch_id uuid             NOT NULL UNIQUE,
    at       bigint           NOT NULL,
    digests  bytea            NOT NULL,
    hash     bytea            NOT NULL
);

-- Work that a commit left to be done. due_at is domain time, lease_until the
-- database's own. A claimed job is leased; again_at is when it was asked for
-- again meanwhile; one that buried its holders is left for a person.
CREATE TABLE job (
    tenant_id   uuid             NOT NULL,
    subject_id  uuid             NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    payment_id  uuid             NOT NULL,
    queue       text COLLATE "C" NOT NULL,
    due_at      bigint           NOT NULL,
    thread      uuid,
    turn        bigint           NOT NULL,
    runs        bigint           NOT NULL,
    claim       uuid,
    lease_until bigint           NOT NULL,
    again_at    bigint           NOT NULL,
    buried_at   bigint           NOT NULL,
    PRIMARY KEY (tenant_id, subject_id, kind),
    CONSTRAINT leased_or_not CHECK ((claim IS NULL) = (lease_until = 0))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02); -- rows come and go
CREATE INDEX job_ready ON job (queue, due_at) WHERE claim IS NULL AND buried_at = 0;
CREATE INDEX job_leased ON job (lease_until) WHERE claim IS NOT NULL;
CREATE INDEX job_thread ON job (thread, turn) WHERE thread IS NOT NULL;

-- One event for one endpoint. The body is kept from the first attempt on.
CREATE TABLE delivery (
    tenant_id   uuid             NOT NULL,
    id          uuid             NOT NULL,
    endpoint_id uuid             NOT NULL,
    door        text COLLATE "C" NOT NULL,
    url         text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,
    payment_id  uuid             NOT NULL,
    subject_id  uuid             NOT NULL,
    version     bigint           NOT NULL,
    event_at    bigint           NOT NULL,
    status      text COLLATE "C" NOT NULL CHECK (status IN ('open', 'delivered', 'given_up', 'canceled')),
    attempts    bigint           NOT NULL,
    first_at    bigint           NOT NULL,
    ended_at    bigint           NOT NULL,
    body        bytea,
    PRIMARY KEY (tenant_id, id)
);

CREATE TABLE delivery_attempt (
    tenant_id   uuid             NOT NULL,
    delivery_id uuid             NOT NULL,
    number      bigint           NOT NULL,
    at          bigint           NOT NULL,
    took        bigint           NOT NULL,
    status_code bigint           NOT NULL,
    error       text COLLATE "C" NOT NULL,
    answer      text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, delivery_id, number)
);

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
