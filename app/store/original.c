#include "schema/migrations.h"

/* What the original application leaves: Django's own table of migrations, and the todos. */
const struct migration_baseline migrations_baseline = {
    .table = "todo_todoitem",
    .signature = "django_migrations",
    .made_sql =
        "SELECT COUNT(*) FROM django_migrations WHERE app = 'todo' AND name = '0001_initial'",
    .no_table = "the table todo_todoitem is missing, though django_migrations lists"
                " todo.0001_initial: is this the right database? To start anew, delete"
                " that row of django_migrations",
    .no_maker = "there is a table todo_todoitem, and neither todobackend_migrations nor"
                " django_migrations says where it comes from. If the original application"
                " made it, let its `manage.py migrate --fake todo` say so; if not, rename"
                " the table or choose another database. Nothing was changed",
};
