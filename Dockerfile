# `make test` and `make release` build these stages by way of docker-compose.yml. An engine without BuildKit
# builds all that stand above the one it is asked for: so the release comes first, and what tests comes after.

FROM debian:trixie-slim AS base
WORKDIR /src
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates dpkg-dev make \
 && rm -rf /var/lib/apt/lists/*

COPY tests/install-packages tests/
COPY deploy/build-libraries deploy/
RUN tests/install-packages build image \
 && deploy/build-libraries \
 && rm -rf /var/lib/apt/lists/*


FROM base AS build
COPY . .
ARG APP_VERSION
ARG APP_COMMIT
RUN make -j"$(nproc)" CFLAGS='-O2 -fno-asynchronous-unwind-tables' LDFLAGS='-s -Wl,--gc-sections' \
 && deploy/image-root build/app /image && mkdir /data


FROM scratch AS release
COPY --from=build /image /
# A new volume that is mounted here gets this folder's owner: so SQLite can write in it.
COPY --from=build --chown=1000:1000 /data /data
WORKDIR /data
USER 1000:1000
# STOP_DELAY: the time in which a balancer sees that /readyz says no.
ENV DATABASE=mysql STOP_DELAY=5 ADMIN_PORT=9000
EXPOSE 8000 9000
STOPSIGNAL SIGTERM
# If it lives, not if it is ready: a database that hangs is no reason to stop all the containers before it.
HEALTHCHECK --interval=10s --timeout=4s --start-period=40s CMD ["/app", "healthcheck", "--live"]
ENTRYPOINT ["/app"]
CMD ["serve"]
ARG APP_VERSION
ARG APP_COMMIT
LABEL org.opencontainers.image.title="todobackend" \
      org.opencontainers.image.description="A todo list over HTTP, kept in MySQL" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${APP_VERSION:-0.0.0-unknown}" \
      org.opencontainers.image.revision="${APP_COMMIT:-unknown}"


FROM base AS acceptance
RUN apt-get update \
 && apt-get install -y --no-install-recommends bats curl jq \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/app /usr/local/bin/
COPY tests/acceptance tests/acceptance
USER 1000:1000
CMD ["bats", "tests/acceptance"]


FROM base AS test
RUN tests/install-packages check coverage && rm -rf /var/lib/apt/lists/*
COPY . .
RUN useradd app && chown -R app .
USER app
CMD ["make", "report"]
