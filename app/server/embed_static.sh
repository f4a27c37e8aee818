#!/bin/sh
# Prints the C source (app/server/static.h) of the files in a folder:
#
#     sh app/server/embed_static.sh static >static_files.c
#
# Each file goes in as it is, but for the lines of scripts and styles that are comments (a sixth of
# what the page weighs) and the blanks that lines begin with, and, where that makes it smaller and
# the tool is there, compressed by gzip and by brotli. An ETag is the start of the bytes' SHA-256.
# The service worker, sw.js, gets a sum of all files, so that browsers see that there is another
# build.
set -eu
export LC_ALL=C
source=${1:?the folder of files}
lean='/^ *\/\//d; /^ *\/\*.*\*\/$/d; s/^ *//'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
    echo "app/server/embed_static.sh: $*" >&2
    exit 1
}

compress() {
    coding=$1 file=$2
    case $coding in
    gzip) command -v gzip >/dev/null && gzip -9 -n -c "$file" ;;
    brotli) command -v brotli >/dev/null && brotli -q 11 -w 24 -c "$file" ;;
    esac >"$work/$coding" || return 1
    [ "$(wc -c <"$work/$coding")" -lt "$(wc -c <"$file")" ]
}

# What is sent of a file.
content() {
    case $1 in
    *.js | *.css) sed -e "s/'unbuilt'/'$build'/" -e "$lean" "$1" ;;
    *) cat "$1" ;;
    esac
}

print_bytes() {
    printf 'static const unsigned char %s[] = {\n' "$1"
    od -An -v -tx1 "$2" | sed 's/ \(..\)/0x\1,/g'
    printf '};\n'
}

# Adds a row to the variants of the file at hand.
add_variant() {
    index=$1 array=$2 file=$3
    print_bytes "$array" "$file"
    sum=$(sha256sum <"$file" | cut -c 1-24)
    variants="$variants
      [$index] = {$array, sizeof($array), \"\\\"$sum\\\"\"},"
}

printf '/* Made by app/server/embed_static.sh. */\n#include "server/static.h"\n\n'
build=$(cat "$source"/* | sha256sum | cut -c 1-24)
count=0
rows=
for path in "$source"/*; do
    name=$(basename "$path")
    case $name in
    .* | *[!a-zA-Z0-9._-]*) fail "$path: only letters, digits, ., - and _ in a name" ;;
    esac
    [ -s "$path" ] || fail "$path: empty, or no file"
    content "$path" >"$work/content"
    variants=
    add_variant HTTP_IDENTITY "file_$count" "$work/content"
    ! compress gzip "$work/content" || add_variant HTTP_GZIP "file_${count}_gzip" "$work/gzip"
    ! compress brotli "$work/content" || add_variant HTTP_BROTLI "file_${count}_brotli" "$work/brotli"
    rows="$rows
    {\"$name\", {$variants
     }},"
    count=$((count + 1))
done
printf '\nconst struct http_static_file http_static_files[] = {%s\n};\n' "$rows"
printf 'const size_t http_static_file_count = %s;\n' "$count"
