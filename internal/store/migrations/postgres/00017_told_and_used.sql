-- What an endpoint was told of an event is found: a replay of what it missed asks.
-- Of credentials it is known on which UTC day they were last used; 0: never since
-- this is noted.

-- +goose Up
CREATE INDEX delivery_by_event ON delivery (tenant_id, endpoint_id, payment_id, version);
ALTER TABLE credential ADD COLUMN last_used_at bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE credential DROP COLUMN last_used_at;
DROP INDEX delivery_by_event;
