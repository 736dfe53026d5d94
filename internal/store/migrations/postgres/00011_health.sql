-- How deliveries to endpoints go, and why an endpoint is disabled.

-- +goose Up

-- Empty: the endpoint is in use, or nobody knows why it is not.
ALTER TABLE endpoint ADD COLUMN disabled_for text COLLATE "C" NOT NULL DEFAULT '';

-- What an event says beyond the things that it names, as its door reads it.
ALTER TABLE delivery ADD COLUMN detail text COLLATE "C" NOT NULL DEFAULT '';

-- Domain times of attempts; 0: none. An endpoint fails since the first attempt
-- in vain behind both the last that arrived and the last time it was enabled.
CREATE TABLE endpoint_health (
    tenant_id     uuid             NOT NULL,
    endpoint_id   uuid             NOT NULL,
    failing_since bigint           NOT NULL,
    failed_at     bigint           NOT NULL,
    succeeded_at  bigint           NOT NULL,
    enabled_at    bigint           NOT NULL,
    status_code   int              NOT NULL,
    error         text COLLATE "C" NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id),
    CHECK (failing_since = 0 OR (failing_since > succeeded_at AND failing_since > enabled_at AND failing_since <= failed_at))
) WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02); -- a row is written with every attempt

-- +goose Down
DROP TABLE endpoint_health;
ALTER TABLE delivery DROP COLUMN detail;
ALTER TABLE endpoint DROP COLUMN disabled_for;
