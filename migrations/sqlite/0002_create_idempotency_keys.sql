-- compatible with: 1
-- Which todos a request with an Idempotency-Key has created. A row is of use for a day.

-- done when: SELECT COUNT(*) FROM sqlite_master
--   WHERE type = 'table' AND name = 'todobackend_idempotency_keys'
CREATE TABLE todobackend_idempotency_keys (
    idempotency_key text NOT NULL PRIMARY KEY,
    fingerprint integer NOT NULL,
    todo_ids text NOT NULL,
    created_at text NOT NULL
);

-- done when: SELECT COUNT(*) FROM sqlite_master
--   WHERE type = 'index' AND name = 'todobackend_idempotency_keys_created_at'
CREATE INDEX todobackend_idempotency_keys_created_at
    ON todobackend_idempotency_keys (created_at);
