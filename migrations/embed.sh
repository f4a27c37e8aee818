#!/bin/sh
# Prints the C source (app/schema/migrations.h) of what is in the folder of migrations:
#
#     sh migrations/embed.sh migrations >migrations.c
#
# mysql/NNNN_name.sql and sqlite/NNNN_name.sql, numbered from 0001 without a gap, and seed.sql.
# A statement ends with a `;` at the end of a line. Lines that begin with `--` are comments, but
# for `-- done when: QUERY` (and the comment lines right after it, which continue the query):
# the statement that follows isn't run where the query gives 1, and must make it give 1. Such a
# query must be a quick one.
#
# Each migration says `-- compatible with: N` in one line: the schema version of the oldest program
# that still works on a database that has had it, at most its own. That line is not in its sum: it
# is about programs, and may be corrected.
set -eu
export LC_ALL=C
folder=${1:?the folder of migrations}

fail() {
    echo "migrations/embed.sh: $*" >&2
    exit 1
}

# The statements of a file as rows of a C array.
print_statements() {
    awk -v file="$1" -v kind="$2" '
        function quote(text) {
            gsub(/\\/, "\\\\&", text)
            gsub(/"/, "\\\\&", text)
            gsub(/\n/, "\\n\"\n     \"", text)
            return "\"" text "\""
        }
        function add(text, line) {
            return text == "" ? line : text "\n" line
        }
        function fail(why) {
            print "migrations/embed.sh: " file ":" NR ": " why >"/dev/stderr"
            failed = 1
            exit 1
        }
        function print_statement() {
            if (kind == "migration")
                print "    {" quote(sql) ",\n     " (query == "" ? "NULL" : quote(query)) "},"
            else
                print "    " quote(sql) ","
            sql = query = ""
            count++
        }
        { sub(/[ \t\r]+$/, "") }
        sql == "" && /^-- compatible with:/ { next }
        sql == "" && /^--[ \t]*done when:/ {
            if (query != "" || kind != "migration") fail("a query without a statement")
            sub(/^--[ \t]*done when:[ \t]*/, "")
            query = $0
            in_query = 1
            next
        }
        sql == "" && in_query && /^--/ {
            sub(/^--[ \t]*/, "")
            query = add(query, $0)
            next
        }
        { in_query = 0 }
        sql == "" && (/^--/ || /^$/) { next }
        /;$/ {
            sql = add(sql, substr($0, 1, length($0) - 1))
            print_statement()
            next
        }
        { sql = add(sql, $0) }
        END {
            if (failed) exit 1
            if (sql != "" || query != "") fail("the last statement has no end")
            if (!count) fail("no statement")
        }' "$1"
}

print_migrations() {
    database=$1
    count=0
    rows=
    for file in "$folder/$database"/*.sql; do
        name=$(basename "$file" .sql)
        count=$((count + 1))
        case $name in
        "$(printf %04d "$count")"_[a-z]*) ;;
        *) fail "$file: the name must begin with $(printf %04d "$count")_" ;;
        esac
        case $name in *[!a-z0-9_]*) fail "$file: only a-z, 0-9 and _ in the name" ;; esac
        compatible=$(tr -d '\r' <"$file" | sed -n 's/^-- compatible with: \([1-9][0-9]*\)$/\1/p')
        case $compatible in
        '' | *[!0-9]*) fail "$file: needs one line \`-- compatible with: N\`" ;;
        esac
        [ "$compatible" -le "$count" ] ||
            fail "$file: compatible with $compatible, which is later than itself"
        # of the text, whatever its line ends became in a checkout
        sum=$(tr -d '\r' <"$file" | sed '/^-- compatible with:/d' | sha256sum)
        array="${database}_$name"
        printf 'static const struct migration_statement %s[] = {\n' "$array"
        print_statements "$file" migration
        printf '};\n\n'
        rows="$rows    {$count, \"$name\",
     \"${sum%% *}\", $compatible,
     ${array}, sizeof(${array}) / sizeof(${array}[0])},
"
    done
    printf 'const struct migration migrations_%s[] = {\n%s};\n' "$database" "$rows"
    printf 'const size_t migrations_%s_count = %s;\n\n' "$database" "$count"
}

printf '/* Made by migrations/embed.sh. */\n#include "schema/migrations.h"\n\n'
print_migrations mysql
print_migrations sqlite
printf 'const char *const seed_statements[] = {\n'
print_statements "$folder/seed.sql" seed
printf '};\nconst size_t seed_statement_count = sizeof(seed_statements) / sizeof(seed_statements[0]);\n'
