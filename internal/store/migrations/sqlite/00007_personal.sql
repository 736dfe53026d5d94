-- What is personal is kept sealed, under a key of its owner: the payment or
-- order it belongs to, or the person who called. A destroyed key leaves what
-- was sealed where it is, unreadable for ever, so that what was hashed as
-- sealed can still be verified. Keys have a table of their own: a backup that
-- is kept for long can leave it out.

-- +goose Up
CREATE TABLE personal_key (
    tenant_id BLOB    NOT NULL,
    owner_id  BLOB    NOT NULL,
    key       BLOB    NOT NULL CHECK (length(key) IN (0, 64)), -- empty: destroyed
    erased_at INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant_id, owner_id),
    CONSTRAINT destroyed_at_some_time CHECK ((length(key) = 0) = (erased_at > 0))
) WITHOUT ROWID;

-- +goose Down
DROP TABLE personal_key;
