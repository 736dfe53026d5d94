-- What rows of batches say is kept sealed, under a key of the batch that is
-- destroyed when the batch is over. What waits already is in the clear until it
-- is decided. A dry run that is over has no use for what its rows say.
--
-- Names of persons are kept sealed under those persons' keys wherever a refund
-- has them. persons lists, as JSON, in hexadecimal, whose keys a refund needs to
-- be read; NULL: an older version has written it, with names in the clear, until
-- the next write of the row or until the person is erased.

-- +goose Up
ALTER TABLE batch_row ADD COLUMN is_sealed boolean NOT NULL DEFAULT false;
UPDATE batch_row SET body = NULL WHERE status = 'allowed' AND (tenant_id, batch_id) IN
    (SELECT tenant_id, id FROM batch WHERE status IN ('done', 'canceled') AND waiting = 0);

ALTER TABLE refund ADD COLUMN persons text COLLATE "C";

-- On whose behalf a batch was started, under the batch's key.
ALTER TABLE batch ADD COLUMN personal bytea;
UPDATE batch SET started_for = '' WHERE status IN ('done', 'canceled') AND waiting = 0;

-- Counters of users have their names; from now on they have ids of persons.
DELETE FROM counter WHERE kind IN ('count_user', 'amount_user');

-- +goose Down
ALTER TABLE batch DROP COLUMN personal;
ALTER TABLE refund DROP COLUMN persons;
DELETE FROM personal_key WHERE (tenant_id, owner_id) IN (SELECT tenant_id, id FROM batch);
ALTER TABLE batch_row DROP COLUMN is_sealed;
