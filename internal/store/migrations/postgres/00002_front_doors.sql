-- What the next front doors need kept. New columns have defaults: rows that
-- are there stay as they were.

-- +goose Up
ALTER TABLE payment ADD COLUMN failures bigint NOT NULL DEFAULT 0 CHECK (failures >= 0);

-- Lists, the newest first.
CREATE INDEX payment_by_time ON payment (tenant_id, created_at, id);
CREATE INDEX payment_order_by_time ON payment_order (tenant_id, created_at, id);

-- A line stays when another list takes its place: versions of its payment say
-- when it came (0: with it) and ended (0: it is current).
ALTER TABLE item ADD COLUMN since_version bigint NOT NULL DEFAULT 0;
ALTER TABLE item ADD COLUMN until_version bigint NOT NULL DEFAULT 0
    CHECK (until_version = 0 OR until_version >= since_version);
ALTER TABLE item ADD COLUMN came_back boolean NOT NULL DEFAULT false;

ALTER TABLE endpoint ADD COLUMN detail text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE delivery ADD COLUMN word text COLLATE "C" NOT NULL DEFAULT '';

-- A door's own things that are no order, payment or refund, opaque here.
CREATE TABLE resource (
    tenant_id  uuid             NOT NULL,
    door       text COLLATE "C" NOT NULL,
    kind       text COLLATE "C" NOT NULL,
    id         uuid             NOT NULL,
    body       bytea            NOT NULL,
    created_at bigint           NOT NULL,
    PRIMARY KEY (tenant_id, door, kind, id)
);

-- What recipients of settled orders are paid; rows are never changed.
CREATE TABLE payout (
    tenant_id uuid             NOT NULL,
    id        uuid             NOT NULL,
    order_id  uuid             NOT NULL,
    merchant  text COLLATE "C" NOT NULL,
    amount    bigint           NOT NULL CHECK (amount > 0),
    currency  text COLLATE "C" NOT NULL CHECK (length(currency) = 3),
    at        bigint           NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
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
