-- What an endpoint was told of an event is found: a replay of what it missed asks.

-- +goose Up
CREATE INDEX delivery_by_event ON delivery (tenant_id, endpoint_id, payment_id, version);

-- +goose Down
DROP INDEX delivery_by_event;
