# shellcheck shell=bash
# What run-compose and run-swarm share: a Docker engine, images of this commit and of what comes after it, a
# certificate, load, and counting. To be sourced in the repository's folder.
#
#     $tests:1        the release
#     $tests:2        a later one, with a migration that the first is compatible with
#     $tests:broken   one whose migration fails
#     $tests:bad      one that migrates, and never becomes healthy
#
# Who sources it sets site and plain_site, the addresses with and without TLS, and clean_up, a function.
#
# The images stay, for the next run: IMAGES=keep takes those of the last one. Where no engine answers, ../shared/docker-lab/docker-lab brings one up,
# which can pull nothing: there, Debian's haproxy and what the lab has for mysql stand in.
# shellcheck disable=SC2154,SC2034
set -u
tests=todobackend-deploy-tests
lab=$PWD/../shared/docker-lab/docker-lab
near=()
passed=0
failed=0

if ! docker version >/dev/null 2>&1; then
    [ -x "$lab" ] || { echo "no Docker engine answers, and there is no $lab"; exit 77; }
    "$lab" up >/dev/null || exit 1
    eval "$("$lab" env)"
fi
# One at a time: a swarm that begins or ends takes networks away from what else runs on its engine.
exec 9>"${TMPDIR:-/tmp}/$tests.lock"
flock 9
folder=$(mktemp -d)
trap 'clean_up >"$folder/clean_up" 2>&1; rm -rf "$folder"' EXIT
trap 'exit 130' INT TERM

# check FACT COMMAND...: the command's output is shown when it fails.
check() {
    local fact=$1
    shift
    if "$@" >"$folder/out" 2>&1; then
        passed=$((passed + 1))
        echo "passed: $fact"
    else
        failed=$((failed + 1))
        echo "FAILED: $fact"
        tail -n 40 "$folder/out" | sed 's/^/    /'
    fi
}

finish() {
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}

# built TAG [OPTION...]: from the Dockerfile in the standard input, in the folder of the last option.
built() {
    docker build --quiet --tag "$@" >"$folder/built" 2>&1 || { cat "$folder/built" >&2; exit 1; }
}

# later TAG COLUMN...: the release with a migration more for each, which adds that column.
later() {
    local tag=$1 version column
    version=$(find migrations/mysql -name '*.sql' | wc -l)
    shift
    mkdir "$folder/$tag"
    for column; do
        version=$((version + 1))
        printf -- '-- compatible with: 1\n-- done when: SELECT COUNT(*) FROM information_schema.columns WHERE %s\n%s;\n' \
            "table_schema = DATABASE() AND table_name = 'todo_todoitem' AND column_name = '${column%% *}'" \
            "ALTER TABLE todo_todoitem ADD COLUMN $column" >"$folder/$tag/$(printf '%04d_later.sql' $version)"
    done
    built "$tests:$tag" --file - "$folder/$tag" <<DOCKERFILE
FROM $tests-build:1 AS build
COPY *.sql migrations/mysql/
$(sed -n '/^RUN make -j/s/\\$//p' Dockerfile) && deploy/image-root build/app /later
FROM $tests:1
COPY --from=build /later/app /app
DOCKERFILE
}

make_images() {
    if [ "${IMAGES:-}" = keep ] && docker image inspect "$tests:bad" >/dev/null 2>&1; then
        make_stand_ins
        return
    fi
    local version=(--build-arg APP_VERSION=1.0.0 --build-arg APP_COMMIT=tests)
    built "$tests-build:1" --target build "${version[@]}" --file Dockerfile .
    built "$tests:1" --target release "${version[@]}" --file Dockerfile .
    later 2 'note varchar(100) NULL'
    later broken 'note varchar(100) NULL' 'mark no_such_type NULL'
    built "$tests:bad" - <<DOCKERFILE
FROM debian:trixie-slim
RUN printf '#!/bin/sh\ncase \$1 in serve) trap exit TERM; sleep 1000 & wait ;; healthcheck) exit 1 ;; esac\n' >/app && chmod 755 /app
HEALTHCHECK --interval=1s --timeout=1s --retries=3 CMD ["/app", "healthcheck"]
ENTRYPOINT ["/app"]
CMD ["serve"]
DOCKERFILE
    make_stand_ins
}

make_stand_ins() {
    case ${DOCKER_HOST:-} in
    *docker-lab*) ;;
    *) return ;;
    esac
    near=("$lab" exec)
    export HAPROXY_IMAGE=$tests-haproxy:3.0 MYSQL_IMAGE=$tests-mysql:8.4
    built "$HAPROXY_IMAGE" - <<'DOCKERFILE'
FROM debian:trixie-slim
RUN apt-get update && apt-get install -y --no-install-recommends haproxy && rm -rf /var/lib/apt/lists/*
STOPSIGNAL SIGUSR1
ENTRYPOINT ["haproxy", "-W", "-db", "-f", "/usr/local/etc/haproxy/haproxy.cfg"]
DOCKERFILE
    # what mysql's own entrypoint does with variables that name a file
    built "$MYSQL_IMAGE" - <<'DOCKERFILE'
FROM mysql:8.4
RUN printf '%s\n' '#!/bin/bash' 'for name in ${!MYSQL_*}; do case $name in *_FILE)' \
    'export ${name%_FILE}="$(cat "${!name}")"; unset $name ;; esac; done' \
    'exec docker-entrypoint.sh "$@"' >/entrypoint && chmod 755 /entrypoint
ENTRYPOINT ["/entrypoint"]
CMD ["mysqld"]
DOCKERFILE
}

# make_certificate FOLDER: for localhost, as certificate.pem and key.pem.
make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=localhost \
        -addext subjectAltName=DNS:localhost -keyout "$1/key.pem" -out "$1/certificate.pem" 2>/dev/null
}

# make_secrets FOLDER: as the README says.
make_secrets() {
    mkdir -m 700 "$1"
    openssl rand -hex 24 >"$1/MYSQL_PASSWORD"
    openssl rand -hex 24 >"$1/MYSQL_ROOT_PASSWORD"
    make_certificate "$folder"
    cat "$folder/certificate.pem" "$folder/key.pem" >"$1/tls.pem"
}

# curl, from where the ports are published, through the proxy.
fetch() {
    "${near[@]}" curl --silent --show-error --fail --max-time 15 --cacert "$folder/certificate.pem" "$@"
}

answers() {
    fetch --retry 30 --retry-delay 1 --retry-all-errors "$site/todos"
}

# New todos are made with https links though the program itself speaks none, and nobody tells it another address.
answers_by_tls() {
    answers && fetch "$site/todos" --data title=first --header 'X-Forwarded-For: 192.0.2.1' |
        grep -F "\"url\":\"$site/todos/"
}

sends_to_tls() {
    local told
    told=$("${near[@]}" curl --silent --output /dev/null --write-out '%{http_code} %{redirect_url}' \
        --header 'Host: todo.example' "$plain_site/todos")
    echo "$told"
    [ "$told" = '308 https://todo.example/todos' ]
}

# How many todos there are.
todos() {
    fetch "$site/todos" | jq length
}

# under_load SECONDS COMMAND...: 8 clients for so long at least, and until the command ends, which has to succeed,
# too. No request fails, and all todos that were acknowledged are there.
under_load() {
    local end=$((SECONDS + $1)) before status=0 load todo created
    shift
    before=$(todos)
    todo=$(fetch "$site/todos" | jq --raw-output '.[0].url')
    "${near[@]}" wrk --threads 1 --connections 8 --duration 300s --timeout 15s \
        --script tests/deploy/load.lua "$site" -- "${todo#"$site"}" >"$folder/load" 2>&1 &
    load=$!
    sleep 3
    "$@" || status=$?
    while [ $SECONDS -lt $end ]; do sleep 1; done
    kill -INT "$load"
    wait "$load"
    cat "$folder/load"
    sed -n 's/^LOAD/   /p' "$folder/load" >&3
    created=$(sed -n 's/^LOAD .* 0 failed, \([1-9][0-9]*\) created.*/\1/p' "$folder/load")
    [ "$status" -eq 0 ] && [ -n "$created" ] || return 1
    # those on their way at its end may have been made, too
    created=$(($(todos) - before - created))
    echo "$created more than acknowledged"
    [ "$created" -ge 0 ] && [ "$created" -le 8 ]
}

# ends_with STATUS COMMAND...
ends_with() {
    local wanted=$1 status=0
    shift
    "$@" || status=$?
    echo "exit status $status"
    [ "$status" = "$wanted" ]
}

exec 3>&1
