-- A payment is found by what its merchant calls it. Filters name texts of at
-- most 255 letters: what is longer is never looked for, and would not fit into
-- an index. Rows of batches name payments as every caller does.

-- +goose Up
CREATE INDEX payment_by_reference ON payment (tenant_id, reference, created_at, id)
    WHERE reference <> '' AND length(reference) <= 255;
ALTER TABLE batch DROP COLUMN any_spelling;

-- +goose Down
ALTER TABLE batch ADD COLUMN any_spelling boolean NOT NULL DEFAULT false;
DROP INDEX payment_by_reference;
