-- Columns for what is sealed. Where one is empty, an older version has written
-- the row in the clear; the next write of the row seals it.

-- +goose Up
INSERT INTO personal_key (tenant_id, owner_id, key)
    SELECT tenant_id, id, sha512(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
        || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())) FROM (
        SELECT tenant_id, id FROM payment UNION SELECT tenant_id, id FROM payment_order) owner;

ALTER TABLE payment ADD COLUMN personal BYTEA;
ALTER TABLE payment_order ADD COLUMN personal BYTEA;
ALTER TABLE refund ADD COLUMN personal BYTEA;
ALTER TABLE item ADD COLUMN personal BYTEA;
ALTER TABLE facet ADD COLUMN personal BYTEA;
ALTER TABLE delivery ADD COLUMN personal BYTEA;
ALTER TABLE delivery_attempt ADD COLUMN personal BYTEA;

-- Bodies that were kept are rendered again when they are needed, with the same
-- bytes. Answers are not.
UPDATE delivery SET body = NULL;
UPDATE delivery_attempt SET answer = '';

-- +goose Down
ALTER TABLE delivery_attempt DROP COLUMN personal;
ALTER TABLE delivery DROP COLUMN personal;
ALTER TABLE facet DROP COLUMN personal;
ALTER TABLE item DROP COLUMN personal;
ALTER TABLE refund DROP COLUMN personal;
ALTER TABLE payment_order DROP COLUMN personal;
ALTER TABLE payment DROP COLUMN personal;
DELETE FROM personal_key WHERE (tenant_id, owner_id) IN (
    SELECT tenant_id, id FROM payment UNION SELECT tenant_id, id FROM payment_order);
