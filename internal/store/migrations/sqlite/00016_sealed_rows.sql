-- What rows of batches say is kept sealed, under a key of the batch that is
-- destroyed when the batch is over. What waits already is in the clear until it
-- is decided. A dry run that is over has no use for what its rows say.

-- +goose Up
ALTER TABLE batch_row ADD COLUMN is_sealed INTEGER NOT NULL DEFAULT 0 CHECK (is_sealed IN (0, 1));
UPDATE batch_row SET body = NULL WHERE status = 'allowed' AND (tenant_id, batch_id) IN
    (SELECT tenant_id, id FROM batch WHERE status IN ('done', 'canceled') AND waiting = 0);

-- +goose Down
DELETE FROM personal_key WHERE (tenant_id, owner_id) IN (SELECT tenant_id, id FROM batch);
ALTER TABLE batch_row DROP COLUMN is_sealed;
