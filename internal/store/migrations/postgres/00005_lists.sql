-- What lists of refunds and disputes need kept.

-- +goose Up

-- A refund's reason and group are in its detail too, which no list looks into.
-- Groups are new with this: no refund that is there has one. The indexes are of
-- columns that never change, so that updates of a refund stay beside its row.
ALTER TABLE refund ADD COLUMN reason text COLLATE "C" NOT NULL DEFAULT '';
ALTER TABLE refund ADD COLUMN group_id uuid;
UPDATE refund SET reason = detail::jsonb->>'reason' WHERE detail::jsonb->>'reason' IS NOT NULL;

-- Filters name texts of at most 255 letters: what is longer is never looked for,
-- and would not fit into an index.
CREATE INDEX refund_by_time ON refund (tenant_id, created_at, id);
CREATE INDEX refund_by_reference ON refund (tenant_id, reference) WHERE reference <> '' AND length(reference) <= 255;
CREATE INDEX refund_by_reason ON refund (tenant_id, reason) WHERE reason <> '' AND length(reason) <= 255;
CREATE INDEX refund_by_group ON refund (tenant_id, group_id) WHERE group_id IS NOT NULL;
CREATE INDEX refund_to_review ON refund (tenant_id) WHERE needs_review;
CREATE INDEX dispute_by_time ON dispute (tenant_id, created_at, id);

-- +goose Down
DROP INDEX dispute_by_time;
DROP INDEX refund_to_review;
DROP INDEX refund_by_group;
DROP INDEX refund_by_reason;
DROP INDEX refund_by_reference;
DROP INDEX refund_by_time;
ALTER TABLE refund DROP COLUMN group_id;
ALTER TABLE refund DROP COLUMN reason;
