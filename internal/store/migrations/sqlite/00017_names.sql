-- Names of persons are kept sealed under those persons' keys wherever a refund
-- has them. persons lists, as JSON, in hexadecimal, whose keys a refund needs to
-- be read; NULL: an older version has written it, with names in the clear, until
-- the next write of the row or until the person is erased.

-- +goose Up
ALTER TABLE refund ADD COLUMN persons TEXT;

-- On whose behalf a batch was started, under the batch's key.
ALTER TABLE batch ADD COLUMN personal BLOB;
UPDATE batch SET started_for = '' WHERE status IN ('done', 'canceled') AND waiting = 0;

-- Counters of users have their names; from now on they have ids of persons.
DELETE FROM counter WHERE kind IN ('count_user', 'amount_user');

-- +goose Down
ALTER TABLE batch DROP COLUMN personal;
ALTER TABLE refund DROP COLUMN persons;
