#!/bin/sh
# Migrates before this version takes over. Its exit status, where it isn't 0, ends the deployment on this instance:
# the version before goes on there. On all instances at once is fine: one migrates, the others wait.
set -eu

compose() {
    if docker compose version >/dev/null 2>&1; then docker compose "$@"; else docker-compose "$@"; fi
}

# Amazon's own registry wants a login, which the instance's role can get.
registry=$(sed -n 's|^ *image: *\([^/]*\.dkr\.ecr\.[^/]*\)/.*|\1|p' docker-compose.yml)
if [ -n "$registry" ]; then
    region=${registry#*.dkr.ecr.}
    aws ecr get-login-password --region "${region%%.*}" |
        docker login --username AWS --password-stdin "$registry"
fi

status=0
compose run --rm -T migrate || status=$?
if [ "$status" -ne 0 ]; then
    echo "10_migrate: app migrate ended with $status; the version before goes on" >&2
fi
exit "$status"
