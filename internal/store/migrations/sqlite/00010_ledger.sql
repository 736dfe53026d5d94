-- In which commit an entry was written: the order in which lists of entries
-- have them. Times are no such order, because commits under way end in any.

-- +goose Up
ALTER TABLE posting ADD COLUMN commit_number INTEGER NOT NULL DEFAULT 0;
CREATE INDEX event_for_migration ON event (tenant_id, payment_id, version, commit_number);
UPDATE posting SET commit_number = coalesce((SELECT min(e.commit_number) FROM event e INDEXED BY event_for_migration
    WHERE e.tenant_id = posting.tenant_id AND e.payment_id = posting.payment_id AND e.version = posting.version), 0);
DROP INDEX event_for_migration;
CREATE INDEX posting_by_commit ON posting (tenant_id, commit_number, version, subject_id);

-- +goose Down
DROP INDEX posting_by_commit;
ALTER TABLE posting DROP COLUMN commit_number;
