# `make test` and `make release` build these stages by way of docker-compose.yml.

FROM debian:trixie-slim AS base
WORKDIR /src
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates dpkg-dev make \
 && rm -rf /var/lib/apt/lists/*

# Debian's libmicrohttpd, built again without TLS: nothing here uses it, and GnuTLS with all that it
# needs is seven of the release image's megabytes, in nine libraries to keep free of holes.
COPY tests/install-packages tests/
RUN tests/install-packages build \
 && sed -i 's/^Types: deb$/Types: deb deb-src/' /etc/apt/sources.list.d/debian.sources \
 && apt-get update \
 && cd /tmp \
 && apt-get source -y libmicrohttpd="$(dpkg-query -W -f='${Version}' libmicrohttpd12)" \
 && cd libmicrohttpd-*/ \
 && eval "$(DEB_BUILD_MAINT_OPTIONS=hardening=+all dpkg-buildflags --export=sh)" \
 && ./configure --quiet --disable-https --disable-static --disable-doc --disable-examples --disable-curl \
 && make -s -j"$(nproc)" install-strip \
 && ldconfig \
 && rm -rf /tmp/* /var/lib/apt/lists/*


FROM base AS test
RUN tests/install-packages coverage && rm -rf /var/lib/apt/lists/*
COPY . .
RUN useradd app && chown -R app .
USER app
CMD ["make", "report"]


FROM base AS build
COPY . .
ARG APP_VERSION
ARG APP_COMMIT
RUN make -j"$(nproc)" CFLAGS=-O2 LDFLAGS=-s && deploy/image-root build/app /image


FROM base AS acceptance
RUN apt-get update \
 && apt-get install -y --no-install-recommends bats curl jq \
 && rm -rf /var/lib/apt/lists/*
COPY --from=build /image/app /usr/local/bin/
COPY tests/acceptance tests/acceptance
USER 1000:1000
CMD ["bats", "tests/acceptance"]


FROM scratch AS release
COPY --from=build /image /
USER 1000:1000
ENV DATABASE=mysql
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=3s --timeout=4s --start-period=40s CMD ["/app", "healthcheck"]
ENTRYPOINT ["/app"]
CMD ["serve"]
ARG APP_VERSION
ARG APP_COMMIT
LABEL org.opencontainers.image.title="todobackend" \
      org.opencontainers.image.description="A todo list over HTTP, kept in MySQL" \
      org.opencontainers.image.version="$APP_VERSION" \
      org.opencontainers.image.revision="$APP_COMMIT"
