-- compatible with: 1
-- Pages of a list that is filtered or ordered: without, each is made by reading all todos. Both in
-- one statement, so that the table is read once; it can be written meanwhile.

-- done when: SELECT COUNT(DISTINCT index_name) = 2 FROM information_schema.statistics
--   WHERE table_schema = DATABASE() AND table_name = 'todo_todoitem'
--     AND index_name IN ('todo_todoitem_completed', 'todo_todoitem_completed_order')
ALTER TABLE todo_todoitem
    ADD INDEX todo_todoitem_completed (completed),
    ADD INDEX todo_todoitem_completed_order (completed, `order`);
