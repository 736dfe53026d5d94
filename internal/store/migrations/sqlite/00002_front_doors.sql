-- What the next front doors need kept. New columns have defaults: rows that
-- are there stay as they were.

-- +goose Up
ALTER TABLE payment ADD COLUMN failures INTEGER NOT NULL DEFAULT 0 CHECK (failures >= 0);

-- Lists, the newest first.
CREATE INDEX payment_by_time ON payment (tenant_id, created_at, id);
CREATE INDEX payment_order_by_time ON payment_order (tenant_id, created_at, id);

-- A line stays when another list takes its place: versions of its payment say
-- when it came (0: with it) and ended (0: it is current).
ALTER TABLE item ADD COLUMN since_version INTEGER NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN until_version INTEGER NOT NULL DEFAULT 0
    CHECK (until_version = 0 OR until_version >= since_version);
ALTER TABLE item ADD COLUMN came_back INTEGER NOT NULL DEFAULT 0 CHECK (came_back IN (0, 1));

ALTER TABLE endpoint ADD COLUMN detail TEXT NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN word TEXT NOT NULL DEFAULT '';

-- A door's own things that are no order, payment or refund, opaque here.
CREATE TABLE resource (
    tenant_id  BLOB    NOT NULL,
    door       TEXT    NOT NULL,
    kind       TEXT    NOT NULL,
    id         BLOB    NOT NULL,
    body       BLOB    NOT NULL,
    created_at INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, door, kind, id)
) WITHOUT ROWID;

-- What recipients of settled orders are paid; rows are never changed.
CREATE TABLE payout (
    tenant_id BLOB    NOT NULL,
    id        BLOB    NOT NULL,
    order_id  BLOB    NOT NULL,
    merchant  TEXT    NOT NULL,
    amount    INTEGER NOT NULL CHECK (amount > 0),
    currency  TEXT    NOT NULL CHECK (length(currency) = 3),
    at        INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, id)
) WITHOUT ROWID;
CREATE INDEX payout_by_order ON payout (tenant_id, order_id);
CREATE INDEX payout_by_time ON payout (tenant_id, at, id);

-- +goose Down
DROP TABLE payout;
DROP TABLE resource;
ALTER TABLE delivery DROP COLUMN word;
ALTER TABLE endpoint DROP COLUMN detail;
ALTER TABLE item DROP COLUMN came_back;
ALTER TABLE item DROP COLUMN until_version;
ALTER TABLE item DROP COLUMN since_version;
DROP INDEX payment_order_by_time;
DROP INDEX payment_by_time;
ALTER TABLE payment DROP COLUMN failures;
