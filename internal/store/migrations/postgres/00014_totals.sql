-- What refunds have taken, kept with what it was taken of: one more refund of a
-- payment need not read all that there were. Each sum is what `refundry verify`
-- counts again.

-- +goose Up
ALTER TABLE payment ADD COLUMN listed bigint NOT NULL DEFAULT 0 CHECK (listed >= 0 AND listed <= reserved);
ALTER TABLE payment ADD COLUMN returned bigint NOT NULL DEFAULT 0 CHECK (returned >= 0);
ALTER TABLE capture ADD COLUMN reserved bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0);
ALTER TABLE capture ADD COLUMN refunded bigint NOT NULL DEFAULT 0 CHECK (refunded >= 0);
ALTER TABLE item ADD COLUMN reserved_quantity bigint NOT NULL DEFAULT 0 CHECK (reserved_quantity >= 0);
ALTER TABLE item ADD COLUMN reserved_amount bigint NOT NULL DEFAULT 0 CHECK (reserved_amount >= 0);
ALTER TABLE item ADD COLUMN reserved_tax bigint NOT NULL DEFAULT 0 CHECK (reserved_tax >= 0);
ALTER TABLE item ADD COLUMN refunded_quantity bigint NOT NULL DEFAULT 0 CHECK (refunded_quantity >= 0);
ALTER TABLE item ADD COLUMN refunded_amount bigint NOT NULL DEFAULT 0 CHECK (refunded_amount >= 0);
ALTER TABLE item ADD COLUMN refunded_tax bigint NOT NULL DEFAULT 0 CHECK (refunded_tax >= 0);

UPDATE payment SET returned = s.amount FROM (
    SELECT tenant_id, payment_id, sum(amount) AS amount FROM refund WHERE status = 'returned' GROUP BY 1, 2) s
    WHERE payment.tenant_id = s.tenant_id AND payment.id = s.payment_id;

UPDATE payment SET listed = s.amount FROM (
    SELECT tenant_id, payment_id, sum(amount) AS amount FROM refund
    WHERE status IN ('awaiting_approval', 'scheduled', 'pending', 'unknown') AND json_typeof(detail::json->'list') = 'array'
    GROUP BY 1, 2) s
    WHERE payment.tenant_id = s.tenant_id AND payment.id = s.payment_id;

UPDATE item SET reserved_quantity = s.reserved_quantity, reserved_amount = s.reserved_amount, reserved_tax = s.reserved_tax,
    refunded_quantity = s.refunded_quantity, refunded_amount = s.refunded_amount, refunded_tax = s.refunded_tax
FROM (
    SELECT tenant_id, payment_id, position,
        sum(CASE WHEN done THEN 0 ELSE quantity END) AS reserved_quantity,
        sum(CASE WHEN done THEN 0 ELSE amount END) AS reserved_amount,
        sum(CASE WHEN done THEN 0 ELSE tax END) AS reserved_tax,
        sum(CASE WHEN done THEN quantity ELSE 0 END) AS refunded_quantity,
        sum(CASE WHEN done THEN amount ELSE 0 END) AS refunded_amount,
        sum(CASE WHEN done THEN tax ELSE 0 END) AS refunded_tax
    FROM (
        SELECT r.tenant_id, r.payment_id, r.status = 'succeeded' AS done, (l.value->>'Position')::bigint AS position,
            (l.value->>'Quantity')::bigint AS quantity, (l.value->>'Amount')::bigint AS amount,
            (l.value->>'Tax')::bigint AS tax
        FROM refund r, json_array_elements(r.detail::json->'lines') l
        WHERE r.status IN ('awaiting_approval', 'scheduled', 'pending', 'unknown', 'succeeded')) line
    GROUP BY 1, 2, 3) s
WHERE item.tenant_id = s.tenant_id AND item.payment_id = s.payment_id AND item.position = s.position;

-- A refund's detail names its capture in letters: five bits in each.
UPDATE capture SET reserved = s.reserved, refunded = s.refunded
FROM (
    WITH named AS (
        SELECT tenant_id, payment_id, detail::json->>'capture' AS name,
            sum(CASE WHEN status = 'succeeded' THEN 0 ELSE amount END) AS reserved,
            sum(CASE WHEN status = 'succeeded' THEN amount ELSE 0 END) AS refunded
        FROM refund
        WHERE status IN ('awaiting_approval', 'scheduled', 'pending', 'unknown', 'succeeded')
            AND detail::json->>'capture' IS NOT NULL
        GROUP BY 1, 2, 3)
    SELECT c.tenant_id, c.payment_id, c.id, n.reserved, n.refunded FROM capture c
    JOIN named n ON n.tenant_id = c.tenant_id AND n.payment_id = c.payment_id AND n.name = 'cap_' || (
        SELECT string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', 1 + (((
            get_byte(uuid_send(c.id) || '\x00', at * 5 / 8) * 256 +
            get_byte(uuid_send(c.id) || '\x00', at * 5 / 8 + 1)) >> (11 - at * 5 % 8)) % 32), 1),
            '' ORDER BY at)
        FROM generate_series(0, 25) at)) s
WHERE capture.tenant_id = s.tenant_id AND capture.payment_id = s.payment_id AND capture.id = s.id;

-- Refunds that were opened shortly before are looked for among a payment's.
DROP INDEX refund_by_payment;
CREATE INDEX refund_by_payment ON refund (tenant_id, payment_id, created_at);

-- +goose Down
DROP INDEX refund_by_payment;
CREATE INDEX refund_by_payment ON refund (tenant_id, payment_id);
ALTER TABLE item DROP COLUMN refunded_tax;
ALTER TABLE item DROP COLUMN refunded_amount;
ALTER TABLE item DROP COLUMN refunded_quantity;
ALTER TABLE item DROP COLUMN reserved_tax;
ALTER TABLE item DROP COLUMN reserved_amount;
ALTER TABLE item DROP COLUMN reserved_quantity;
ALTER TABLE capture DROP COLUMN refunded;
ALTER TABLE capture DROP COLUMN reserved;
ALTER TABLE payment DROP COLUMN returned;
ALTER TABLE payment DROP COLUMN listed;
