-- Which batch asked for a refund. It is in the refund's detail too, with the
-- number of its row. Refunds that are there already do not say.

-- +goose Up
ALTER TABLE refund ADD COLUMN batch_id BLOB;
CREATE INDEX refund_by_batch ON refund (tenant_id, batch_id, created_at, id) WHERE batch_id IS NOT NULL;

-- +goose Down
DROP INDEX refund_by_batch;
ALTER TABLE refund DROP COLUMN batch_id;
