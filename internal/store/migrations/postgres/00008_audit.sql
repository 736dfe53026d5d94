-- Who stands behind an event. Where a person is named, user and address are
-- kept sealed only, under the key of that person; an address without a person
-- is kept as it is. Payments and persons are what the trail is searched by;
-- everything else is found by reading on.

-- +goose Up
ALTER TABLE event
    ADD COLUMN person_id uuid, -- NULL: nobody was named
    ADD COLUMN sealed bytea CHECK (sealed IS NULL OR person_id IS NOT NULL),
    ADD COLUMN address text COLLATE "C" NOT NULL DEFAULT '' CHECK (address = '' OR person_id IS NULL);
CREATE INDEX event_by_payment ON event (tenant_id, payment_id, commit_number, number)
    WHERE payment_id <> '00000000-0000-0000-0000-000000000000';
CREATE INDEX event_by_person ON event (tenant_id, person_id, commit_number, number) WHERE person_id IS NOT NULL;

-- +goose Down
DROP INDEX event_by_person;
DROP INDEX event_by_payment;
ALTER TABLE event
    DROP COLUMN address,
    DROP COLUMN sealed,
    DROP COLUMN person_id;
