-- Numbers that run upwards, for people: replicas take blocks, so there are gaps.

-- +goose Up
CREATE TABLE running_number (
    tenant_id BLOB NOT NULL,
    name      TEXT NOT NULL,
    next      INTEGER NOT NULL CHECK (next > 0),
    PRIMARY KEY (tenant_id, name)
) WITHOUT ROWID;

-- +goose Down
DROP TABLE running_number;
