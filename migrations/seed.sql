-- Sample todos for an empty table. Every statement must work on MySQL and on SQLite alike.

INSERT INTO todo_todoitem (title, completed, `order`) VALUES
    ('Add a todo: curl -d title=Milk localhost:8000/todos', 0, 1),
    ('Tick this one off', 0, 2),
    ('Learn C', 1, 3),
    ('Buy crème fraîche and 寿司 🍣', 0, 4),
    ('Delete what is done', 0, 5);

-- The url as a request to this host would have stored it.
UPDATE todo_todoitem SET url = REPLACE('http://localhost:8000/todos/ID', 'ID', id)
    WHERE url IS NULL;
