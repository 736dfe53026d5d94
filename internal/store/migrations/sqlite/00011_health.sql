-- How deliveries to endpoints go, and why an endpoint is disabled.

-- +goose Up

-- Empty: the endpoint is in use, or nobody knows why it is not.
ALTER TABLE endpoint ADD COLUMN disabled_for TEXT NOT NULL DEFAULT '';

-- What an event says beyond the things that it names, as its door reads it.
ALTER TABLE delivery ADD COLUMN detail TEXT NOT NULL DEFAULT '';

-- Domain times of attempts; 0: none. An endpoint fails since the first attempt
-- in vain behind both the last that arrived and the last time it was enabled.
CREATE TABLE endpoint_health (
    tenant_id     BLOB    NOT NULL,
    endpoint_id   BLOB    NOT NULL,
    failing_since INTEGER NOT NULL,
    failed_at     INTEGER NOT NULL,
    succeeded_at  INTEGER NOT NULL,
    enabled_at    INTEGER NOT NULL,
    status_code   INTEGER NOT NULL,
    error         TEXT    NOT NULL,
    PRIMARY KEY (tenant_id, endpoint_id),
    CHECK (failing_since = 0 OR (failing_since > succeeded_at AND failing_since > enabled_at AND failing_since <= failed_at))
) WITHOUT ROWID;

-- +goose Down
DROP TABLE endpoint_health;
ALTER TABLE delivery DROP COLUMN detail;
ALTER TABLE endpoint DROP COLUMN disabled_for;
