-- In which commit an entry was written: the order in which lists of entries
-- have them. Times are no such order, because commits under way end in any.

-- +goose Up
ALTER TABLE posting ADD COLUMN commit_number bigint NOT NULL DEFAULT 0;
UPDATE posting p SET commit_number = e.commit_number
    FROM (SELECT tenant_id, payment_id, version, min(commit_number) AS commit_number FROM event
          GROUP BY tenant_id, payment_id, version) e
    WHERE e.tenant_id = p.tenant_id AND e.payment_id = p.payment_id AND e.version = p.version;
CREATE INDEX posting_by_commit ON posting (tenant_id, commit_number, version, subject_id);

-- +goose Down
DROP INDEX posting_by_commit;
ALTER TABLE posting DROP COLUMN commit_number;
