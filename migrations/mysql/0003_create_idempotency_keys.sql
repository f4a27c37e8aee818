-- compatible with: 1
-- Which todos a request with an Idempotency-Key has created. A row is of use for a day.

-- done when: SELECT COUNT(*) FROM information_schema.tables
--   WHERE table_schema = DATABASE() AND table_name = 'todobackend_idempotency_keys'
CREATE TABLE todobackend_idempotency_keys (
    idempotency_key varbinary(255) NOT NULL PRIMARY KEY,
    fingerprint bigint NOT NULL,
    todo_ids text CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at datetime NOT NULL,
    INDEX created_at (created_at)
) ENGINE = InnoDB;
