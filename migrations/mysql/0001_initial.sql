-- compatible with: 1
-- The table of the original application, as its migration todo.0001_initial makes it.

-- done when: SELECT COUNT(*) FROM information_schema.tables
--   WHERE table_schema = DATABASE() AND table_name = 'todo_todoitem'
CREATE TABLE todo_todoitem (
    id int(11) NOT NULL AUTO_INCREMENT PRIMARY KEY,
    title varchar(256) NULL,
    completed tinyint(1) NOT NULL,
    url varchar(256) NULL,
    `order` int(11) NULL
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
