-- compatible with: 1
-- A table that the original made has the character set that its database had at the time, often
-- latin1 or utf8mb3, which can't hold every title.

-- done when: SELECT COUNT(*) = 0 FROM information_schema.tables t
--   LEFT JOIN information_schema.columns c
--     ON c.table_schema = t.table_schema AND c.table_name = t.table_name
--   WHERE t.table_schema = DATABASE() AND t.table_name = 'todo_todoitem'
--     AND (t.table_collation NOT LIKE 'utf8mb4%' OR c.character_set_name <> 'utf8mb4')
ALTER TABLE todo_todoitem CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
