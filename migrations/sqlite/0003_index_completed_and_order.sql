-- compatible with: 1
-- Pages of a list that is filtered or ordered: without, each is made by reading all todos.

-- done when: SELECT COUNT(*) FROM sqlite_master
--   WHERE type = 'index' AND name = 'todo_todoitem_completed'
CREATE INDEX todo_todoitem_completed ON todo_todoitem (completed);

-- done when: SELECT COUNT(*) FROM sqlite_master
--   WHERE type = 'index' AND name = 'todo_todoitem_completed_order'
CREATE INDEX todo_todoitem_completed_order ON todo_todoitem (completed, "order");
