-- What policies need kept.

-- +goose Up

-- What a day has seen, where a policy asks: refunds (currency is empty), or
-- their sum in one currency. name is the key or the user; empty: the tenant.
CREATE TABLE counter (
    tenant_id uuid             NOT NULL,
    kind      text COLLATE "C" NOT NULL,
    name      text COLLATE "C" NOT NULL,
    day       bigint           NOT NULL,
    currency  text COLLATE "C" NOT NULL,
    value     bigint           NOT NULL CHECK (value >= 0),
    PRIMARY KEY (tenant_id, kind, name, day, currency)
) WITH (fillfactor = 50); -- few rows, changed by every commit
CREATE INDEX counter_by_day ON counter (day);

ALTER TABLE dispute ADD COLUMN double_loss bigint NOT NULL DEFAULT 0
    CHECK (double_loss >= 0 AND double_loss <= amount);

-- +goose Down
ALTER TABLE dispute DROP COLUMN double_loss;
DROP TABLE counter;
