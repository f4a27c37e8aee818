#!/usr/bin/env bats
# What someone who accepts a release tries, through the network and on the command line:
#
#     APP_URL=http://localhost:8000 bats tests/acceptance
#
# APP_URL is the release that runs. APP (app) is the same program on this machine, set up by the
# environment for the same database; some tests start a second server of it. All todos are deleted.

setup_file() {
    export APP_URL=${APP_URL:-http://localhost:8000}
    export APP=${APP:-app}
    export OTHER_PORT=${OTHER_PORT:-8001} LOG_FORMAT=json
    export OTHER_URL=http://127.0.0.1:$OTHER_PORT
    local answer
    for _ in {1..30}; do
        answer=$(curl --silent --show-error --fail-with-body --max-time 5 "$APP_URL/readyz" 2>&1) && return
        sleep 1
    done
    echo "$APP_URL is not ready: $answer" >&2
    return 1
}

setup() {
    request DELETE /todos
    [ "$status_code" = 204 ]
}

teardown() {
    if [ -n "${server:-}" ]; then
        kill "$server" 2>/dev/null || true
        wait "$server" 2>/dev/null || true
    fi
}

# request METHOD PATH [CURL-OPTION...]: fills status_code, headers and body.
request() {
    local method=$1 path=$2
    shift 2
    status_code=$(curl --silent --show-error --max-time 10 --request "$method" \
        --dump-header "$BATS_TEST_TMPDIR/headers" --output "$BATS_TEST_TMPDIR/body" \
        --write-out '%{http_code}' "$@" "${url:-$APP_URL}$path")
    headers=$(tr -d '\r' <"$BATS_TEST_TMPDIR/headers")
    body=$(cat "$BATS_TEST_TMPDIR/body" 2>/dev/null || true)
    rm -f "$BATS_TEST_TMPDIR/body"
}

send_json() {
    request "$1" "$2" --header 'Content-Type: application/json' --data "$3"
}

header() {
    sed -n "s/^$1: //Ip" <<<"$headers"
}

# json FILTER WANTED: what jq makes of the body.
json() {
    local got
    got=$(jq --compact-output "$1" <<<"$body")
    [ "$got" = "$2" ] || { echo "$1: wanted $2, got $got" >&2; return 1; }
}

# A second server on the same database, as the release's own would start again.
start_server() {
    HTTP_PORT=$OTHER_PORT "$APP" serve >"$BATS_TEST_TMPDIR/log" 3>&- &
    server=$!
    for _ in {1..100}; do
        HTTP_PORT=$OTHER_PORT "$APP" healthcheck 2>/dev/null && return 0
        sleep 0.1
    done
    cat "$BATS_TEST_TMPDIR/log" >&2
    return 1
}

# stop_server LIMIT: SIGTERM, and exit status 0 within so many seconds.
stop_server() {
    local pid=$server start=$SECONDS
    server=
    kill -TERM "$pid"
    wait "$pid"
    [ $((SECONDS - start)) -le "$1" ]
}

# ---- the original's four ----

@test "the root answers" {
    request GET /
    [ "$status_code" = 200 ]
    json .todos "\"$APP_URL/todos\""
}

@test "there are no todos" {
    request GET /todos
    [ "$status_code" = 200 ]
    json . '[]'
}

@test "a todo that was created is found at its Location" {
    send_json POST /todos '{"title":"Wash the car","order":2}'
    [ "$status_code" = 201 ]
    local location
    location=$(header Location)
    [[ $location == "$APP_URL"/todos/* ]]
    url='' request GET "${location#"$APP_URL"}"
    [ "$status_code" = 200 ]
    json '[.url, .title, .completed, .order]' "[\"$location\",\"Wash the car\",false,2]"
}

@test "a todo that was deleted is gone" {
    send_json POST /todos '{"title":"Walk the dog"}'
    local location
    location=$(header Location)
    request DELETE "${location#"$APP_URL"}"
    [ "$status_code" = 204 ]
    request GET "${location#"$APP_URL"}"
    [ "$status_code" = 404 ]
    request GET /todos
    json . '[]'
}

# ---- and more ----

@test "a browser gets a page" {
    request GET / --header 'Accept: text/html,application/xhtml+xml,*/*;q=0.8'
    [ "$status_code" = 200 ]
    [[ $(header Content-Type) == text/html* ]]
    grep -qi '<!doctype html>' <<<"$body"
}

@test "a todo is changed by PATCH and by PUT" {
    send_json POST /todos '{"title":"Draft"}'
    local path
    path=$(header Location)
    path=${path#"$APP_URL"}
    send_json PATCH "$path" '{"completed":true}'
    json '[.title, .completed]' '["Draft",true]'
    send_json PUT "$path" '{"title":"Final","order":7}'
    json '[.title, .completed, .order]' '["Final",true,7]'
}

@test "every script can be stored, and latin-1 is understood" {
    send_json POST /todos '{"title":"寿司 🍣 Ž"}'
    json .title '"寿司 🍣 Ž"'
    request POST /todos --header 'Content-Type: application/json; charset=latin-1' \
        --data-binary $'{"title":"caf\xe9"}'
    json .title '"café"'
    request POST /todos --header 'Content-Type: application/json; charset=shift_jis' \
        --data-binary $'{"title":"\x8e\xf5\x8e\x69"}'
    json .title '"寿司"'
}

@test "scripts of other origins may use it" {
    request GET /todos --header 'Origin: https://elsewhere.example'
    [ "$(header Access-Control-Allow-Origin)" = '*' ]
    request OPTIONS /todos --header 'Origin: https://elsewhere.example' \
        --header 'Access-Control-Request-Method: POST'
    [ "$status_code" = 200 ]
    [[ $(header Access-Control-Allow-Methods) == *POST* ]]
}

@test "what is not valid is refused and not stored" {
    send_json POST /todos '{"title":[],"completed":"maybe","order":1.5}'
    [ "$status_code" = 400 ]
    json 'keys_unsorted' '["title","completed","order"]'
    send_json POST /todos '{"title":'
    [ "$status_code" = 400 ]
    json '.detail | startswith("JSON parse error")' true
    request GET /todos
    json . '[]'
}

@test "the health check says yes to a server that runs, and no where none is" {
    run env HTTP_PORT="$OTHER_PORT" "$APP" healthcheck
    [ "$status" -eq 1 ]
    start_server
    HTTP_PORT=$OTHER_PORT "$APP" healthcheck
    HTTP_PORT=$OTHER_PORT "$APP" healthcheck --live
    stop_server 10
}

@test "a second migrate has nothing to do" {
    run "$APP" migrate
    [ "$status" -eq 0 ]
    [[ $output == *'nothing to do'* ]]
    "$APP" migrate --check
}

@test "seed fills an empty table, and a second time changes nothing" {
    run "$APP" seed
    [ "$status" -eq 0 ]
    [[ $output == *inserted* ]]
    request GET /todos
    local first=$body
    json 'length > 0' true
    run "$APP" seed
    [ "$status" -eq 0 ]
    [[ $output == *'nothing to do'* ]]
    request GET /todos
    [ "$body" = "$first" ]
}

@test "todos outlive the server" {
    start_server
    url=$OTHER_URL send_json POST /todos '{"title":"Keep me"}'
    [ "$status_code" = 201 ]
    stop_server 10
    start_server
    url=$OTHER_URL request GET /todos
    json '[.[].title]' '["Keep me"]'
    stop_server 10
}

@test "SIGTERM under load: exit status 0 in time, and nothing that was acknowledged is lost" {
    start_server
    local client clients=() acknowledged
    for client in {1..8}; do
        (
            exec 3>&-
            for count in {1..500}; do
                curl --silent --fail --max-time 10 --data "title=$client-$count" \
                    "$OTHER_URL/todos" >>"$BATS_TEST_TMPDIR/answers-$client" || break
                echo >>"$BATS_TEST_TMPDIR/answers-$client"
            done
        ) &
        clients+=($!)
    done
    sleep 1
    stop_server 30
    wait "${clients[@]}" || true
    acknowledged=$(cat "$BATS_TEST_TMPDIR"/answers-* | jq --raw-output .title | sort)
    [ -n "$acknowledged" ]
    request GET /todos
    comm -23 <(echo "$acknowledged") <(jq --raw-output '.[].title' <<<"$body" | sort) \
        >"$BATS_TEST_TMPDIR/lost"
    [ ! -s "$BATS_TEST_TMPDIR/lost" ]
}

@test "the log is JSON, a line an event" {
    start_server
    url=$OTHER_URL request GET /todos
    stop_server 10
    jq --exit-status --slurp 'length >= 3 and all(.[]; .time and .level and .message)' \
        <"$BATS_TEST_TMPDIR/log"
}
