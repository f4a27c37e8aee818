-- compatible with: 1
-- The table of the original application, as its migration todo.0001_initial makes it.

-- done when: SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'todo_todoitem'
CREATE TABLE todo_todoitem (
    id integer NOT NULL PRIMARY KEY AUTOINCREMENT,
    title varchar(256) NULL,
    completed bool NOT NULL,
    url varchar(256) NULL,
    "order" integer NULL
);
