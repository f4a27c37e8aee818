#include "schema/migrations.h"

/*
 * What the statements of this folder lean on. A table that lacks it would take todos that are
 * gone after a crash, refuse what a client may send, or keep something else than was sent.
 */

#define OURS "('id', 'title', 'completed', 'url', 'order')"

/* Whatever holds 256 characters, and nothing. */
#define MYSQL_TEXT                                                                             \
    "is_nullable = 'YES' AND (data_type IN ('text', 'mediumtext', 'longtext')"                 \
    " OR (data_type = 'varchar' AND character_maximum_length >= 256))"
#define MYSQL_TODOS "table_schema = DATABASE() AND table_name = 'todo_todoitem'"
#define MYSQL_ALTER "ALTER TABLE `todo_todoitem` "

/* `fits` is a condition on a row of information_schema.columns. A value can't be stored in a
 * generated column. */
#define MYSQL_COLUMN(name, fits, definition)                                                   \
    {                                                                                          \
        "the column " name " must be like " definition,                                        \
            "SELECT IFNULL(CONCAT(column_type, IF(is_nullable = 'YES', ' NULL ',"              \
            " ' NOT NULL '), extra), 'none'),"                                                 \
            " CONCAT('" MYSQL_ALTER "', CASE WHEN column_name IS NULL THEN 'ADD'"              \
            " WHEN generation_expression <> '' THEN 'DROP COLUMN `" name "`, ADD'"             \
            " ELSE 'MODIFY' END, ' COLUMN `" name "` " definition "')"                         \
            " FROM (SELECT 1) one LEFT JOIN information_schema.columns"                        \
            " ON " MYSQL_TODOS " AND column_name = '" name "'"                                 \
            " WHERE NOT IFNULL(IFNULL(generation_expression, '') = ''"                         \
            " AND " fits ", FALSE)"                                                            \
    }

/* Engines but InnoDB have no transactions, or were never tried. */
const struct migration_requirement migrations_requirements_mysql[] = {
    {"it must be a table",
     "SELECT IFNULL(table_type, 'nothing'), IF(table_type IS NULL,"
     " 'restore the table from a backup', 'rename it, or choose another database')"
     " FROM (SELECT 1) one LEFT JOIN information_schema.tables ON " MYSQL_TODOS
     " WHERE IFNULL(table_type, '') NOT IN ('BASE TABLE', 'SYSTEM VERSIONED')"            },
    {"the engine must be InnoDB",
     "SELECT IFNULL(engine, 'none'), '" MYSQL_ALTER "ENGINE = InnoDB'"
     " FROM information_schema.tables WHERE " MYSQL_TODOS
     " AND IFNULL(engine, '') <> 'InnoDB'"                                                },
    MYSQL_COLUMN("id", "data_type IN ('int', 'bigint')", "int NOT NULL"),
    {"the primary key must be id alone",
     "SELECT IFNULL(GROUP_CONCAT(column_name ORDER BY seq_in_index), 'none'),"
     " CONCAT('" MYSQL_ALTER "', IF(COUNT(*) > 0, 'DROP PRIMARY KEY, ', ''),"
     " 'ADD PRIMARY KEY (`id`)') FROM information_schema.statistics"
     " WHERE " MYSQL_TODOS " AND index_name = 'PRIMARY'"
     " HAVING IFNULL(GROUP_CONCAT(column_name), '') <> 'id'"                              },
    {"id must be AUTO_INCREMENT",
     "SELECT CONCAT(column_type, ' ', extra), CONCAT('" MYSQL_ALTER "MODIFY COLUMN `id` ',"
     " column_type, ' NOT NULL AUTO_INCREMENT') FROM information_schema.columns"
     " WHERE " MYSQL_TODOS " AND column_name = 'id' AND extra NOT LIKE '%auto_increment%'"},
    MYSQL_COLUMN("title", MYSQL_TEXT, "varchar(256) NULL"),
    MYSQL_COLUMN("completed",
                 "data_type IN ('tinyint', 'smallint', 'mediumint', 'int', 'bigint')",
                 "tinyint(1) NOT NULL"),
    MYSQL_COLUMN("url", MYSQL_TEXT, "varchar(256) NULL"),
    MYSQL_COLUMN("order",
                 "is_nullable = 'YES' AND data_type = 'int'"
                 " AND column_type NOT LIKE '%unsigned%'",
                 "int NULL"),
    {"every other column must have a default or take NULL",
     "SELECT column_name, CONCAT('" MYSQL_ALTER "MODIFY COLUMN `', column_name, '` ',"
     " column_type, ' NULL') FROM information_schema.columns"
     " WHERE " MYSQL_TODOS " AND column_name NOT IN " OURS
     " AND is_nullable = 'NO' AND column_default IS NULL"
     " AND IFNULL(generation_expression, '') = ''"                                        },
    {"two todos may be alike: no other index must be UNIQUE",
     "SELECT index_name, CONCAT('" MYSQL_ALTER "DROP INDEX `', index_name, '`')"
     " FROM information_schema.statistics"
     " WHERE " MYSQL_TODOS " AND non_unique = 0"
     " GROUP BY index_name HAVING SUM(column_name = 'id') = 0"                            },
    {NULL,                                                    NULL                        },
};

/* SQLite changes no column of a table that is there. */
#define SQLITE_REMAKE                                                                          \
    "'ALTER TABLE todo_todoitem RENAME TO former_todos;"                                       \
    " CREATE TABLE todo_todoitem (id integer NOT NULL PRIMARY KEY AUTOINCREMENT,"              \
    " title varchar(256) NULL, completed bool NOT NULL, url varchar(256) NULL,"                \
    " \"order\" integer NULL); INSERT INTO todo_todoitem"                                      \
    " SELECT id, title, completed, url, \"order\" FROM former_todos'"

/* Affinities: a column of any other would make 7 of the title "007", or text of a number. */
#define SQLITE_TEXT                                                                            \
    "NOT \"notnull\" AND type NOT LIKE '%INT%'"                                                \
    " AND (type LIKE '%CHAR%' OR type LIKE '%CLOB%' OR type LIKE '%TEXT%')"
#define SQLITE_NUMBER "(type LIKE '%INT%' OR type LIKE '%BOOL%' OR type LIKE 'NUM%')"

/* `fits` is a condition on a row of pragma_table_info. */
#define SQLITE_COLUMN(name, fits, definition)                                                  \
    {                                                                                          \
        "the column " name " must be like " definition,                                        \
            "SELECT type || iif(\"notnull\", ' NOT NULL', ' NULL'), " SQLITE_REMAKE            \
            " FROM pragma_table_info('todo_todoitem')"                                         \
            " WHERE name = '" name "' COLLATE NOCASE AND NOT (" fits ")"                       \
    }

/* An id that is an integer PRIMARY KEY, and has no index for that, is the number of the row
 * itself: such a one is given out. pragma_table_info leaves out generated columns, in which
 * nothing can be stored. */
const struct migration_requirement migrations_requirements_sqlite[] = {
    {"it must be a table",
     "SELECT ifnull(iif(m.sql LIKE 'CREATE VIRTUAL%', 'virtual table', m.type), 'nothing'),"
     " iif(m.type IS NULL, 'restore the table from a backup',"
     " 'rename it, or choose another file')"
     " FROM (SELECT 1) LEFT JOIN sqlite_master m"
     " ON m.name = 'todo_todoitem' AND m.type IN ('table', 'view')"
     " WHERE ifnull(m.type, '') <> 'table' OR m.sql LIKE 'CREATE VIRTUAL%'"              },
    {"it must have the columns title, completed, url and order",
     "SELECT 'no ' || column1,"
     " 'ALTER TABLE todo_todoitem ADD COLUMN \"' || column1 || '\" ' || column2"
     " FROM (VALUES ('title', 'varchar(256) NULL'), ('completed', 'bool NOT NULL DEFAULT 0'),"
     " ('url', 'varchar(256) NULL'), ('order', 'integer NULL'))"
     " WHERE column1 NOT IN (SELECT lower(name) FROM pragma_table_info('todo_todoitem'))"},
    {"id must be integer PRIMARY KEY",
     "SELECT ifnull((SELECT type || iif(pk, ' in the primary key', '')"
     " FROM pragma_table_info('todo_todoitem') WHERE name = 'id'), 'none'), " SQLITE_REMAKE
     " WHERE NOT EXISTS (SELECT 1 FROM pragma_table_info('todo_todoitem')"
     " WHERE name = 'id' COLLATE NOCASE AND type = 'INTEGER' COLLATE NOCASE AND pk = 1)"
     " OR EXISTS (SELECT 1 FROM pragma_index_list('todo_todoitem') WHERE origin = 'pk')" },
    SQLITE_COLUMN("title", SQLITE_TEXT, "varchar(256) NULL"),
    SQLITE_COLUMN("completed", SQLITE_NUMBER, "bool NOT NULL"),
    SQLITE_COLUMN("url", SQLITE_TEXT, "varchar(256) NULL"),
    SQLITE_COLUMN("order", "NOT \"notnull\" AND " SQLITE_NUMBER, "integer NULL"),
    {"every other column must have a default or take NULL",
     "SELECT name, " SQLITE_REMAKE " FROM pragma_table_info('todo_todoitem')"
     " WHERE lower(name) NOT IN " OURS " AND \"notnull\" AND dflt_value IS NULL"         },
    {"two todos may be alike: no other index must be UNIQUE",
     "SELECT i.name, iif(i.origin = 'c', 'DROP INDEX \"' || i.name || '\"', " SQLITE_REMAKE ")"
     " FROM pragma_index_list('todo_todoitem') i WHERE i.\"unique\" AND i.origin <> 'pk'"
     " AND NOT EXISTS (SELECT 1 FROM pragma_index_info(i.name) c WHERE c.name = 'id')"   },
    {NULL,                                                       NULL                    },
};
