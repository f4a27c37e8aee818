# `make` builds build/app, `make help` says what else there is.
#
# CC, CFLAGS, CPPFLAGS, LDFLAGS and LDLIBS are yours; `make -n` shows the whole commands. Each
# flavour has a folder of its own: make BUILD=build/debug CFLAGS='-O1 -g'

BUILD := build
CFLAGS ?= -O2 -g

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 -Wundef \
    -Wvla -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wwrite-strings \
    -Wcast-qual -Wpointer-arith -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
    -Wdouble-promotion -fno-common
WARNINGS_GCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init
WERROR := $(if $(CI),-Werror)

# By what the compiler makes code for.
MACHINE = $(call once,MACHINE,$(CC) -dumpmachine | sed 's/-.*//')
HARDENING_x86_64 := -fcf-protection=full
HARDENING_aarch64 := -mbranch-protection=standard
HARDENING = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
    -fstack-clash-protection $(HARDENING_$(MACHINE)) -fno-delete-null-pointer-checks \
    -fno-strict-overflow
HARDENING_LINK_x86_64 := -Wl,-z,shstk
HARDENING_LINK = -Wl,-z,relro,-z,now,-z,noexecstack $(HARDENING_LINK_$(MACHINE))

# Asked for once, and only when something is built: before that, they may not be installed.
once = $(eval $(1) := $$(shell $(2)))$($(1))
MYSQL = $(call once,MYSQL,pkg-config --exists libmariadb && echo libmariadb || echo mysqlclient)
PACKAGES = libmicrohttpd jansson sqlite3 zlib $(MYSQL)
PACKAGES_CFLAGS = $(call once,PACKAGES_CFLAGS,pkg-config --cflags $(PACKAGES) | sed 's/-I */-isystem /g')
PACKAGES_LIBS = $(call once,PACKAGES_LIBS,pkg-config --libs $(PACKAGES) && echo -lm)
IS_GCC = $(call once,IS_GCC,$(CC) --version | grep -i 'free software' >/dev/null && echo gcc)

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -ffile-prefix-map="$$PWD"=. -fPIE -pthread -Iapp -I$(BUILD) \
    $(PACKAGES_CFLAGS) $(WARNINGS) $(if $(IS_GCC),$(WARNINGS_GCC)) $(WERROR) $(HARDENING) \
    $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -pthread $(HARDENING_LINK) -Wl,--as-needed $(CFLAGS) $(LDFLAGS)

# Outside of a clone (a release's tarball), give both on the command line.
GIT_DESCRIBE := git --git-dir=.git describe --dirty
APP_VERSION ?= $(shell $(GIT_DESCRIBE) --tags --match 'v[0-9]*' 2>/dev/null | sed 's/^v//')
APP_COMMIT ?= $(shell $(GIT_DESCRIBE) --always --match '' --abbrev=12 2>/dev/null)

SOURCES := $(sort $(wildcard app/*.c app/*/*.c))
OBJECTS := $(SOURCES:%.c=$(BUILD)/obj/%.o) $(BUILD)/obj/migrations.o \
    $(BUILD)/obj/static_files.o
PARTS := $(filter-out %/app/main.o,$(OBJECTS))
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c tests/integration/*.c tests/bench/*.c tests/fuzz/*.c \
    tests/failures/*.c))
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(BUILD)/obj/%.o)
C_FILES := $(SOURCES) $(TEST_SOURCES) $(sort $(wildcard app/*/*.h tests/*/*.h))
SCRIPTS := $(shell grep -rIlE --exclude-dir=node_modules '^\#!/(bin/(ba)?sh|usr/bin/env bats)' tests migrations \
    app deploy .ci 2>/dev/null)

# Images: IMAGE_NAME:IMAGE_TAG is what is built; REGISTRY is what docker push and docker login call it,
# empty for Docker Hub. `docker compose` is taken where there is one. What make runs is a Compose project
# beside the one of `docker compose up`: other containers, another database.
IMAGE_NAME ?= todobackend
REGISTRY ?=
IMAGE := $(REGISTRY:%=%/)$(IMAGE_NAME)
IMAGE_TAG = $(or $(APP_VERSION),0.0.0-$(or $(APP_COMMIT),unknown))
PROJECT := $(or $(COMPOSE_PROJECT_NAME),todobackend)-release
COMPOSE = $(call once,COMPOSE,docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
COMPOSE_RELEASE = $(COMPOSE) --project-name '$(PROJECT)'
FRESH := $(if $(PULL),--pull --no-cache)
test release publish: export IMAGE_TAG ?=
test release: export APP_COMMIT ?=
export IMAGE_NAME

# As a string of C and of JSON.
quoted = "$(subst ",\",$(subst \,\\,$(1)))"

.DELETE_ON_ERROR:
.PHONY: app run check unit integration report browser screenshot sanitize sanitize-threads fuzz failures faults cluster bench bench-waiters deploy-check install format \
    format-check lint tidy \
    clean help tools
.PHONY: test release publish deb image-tag login logout version clean-data

app: $(BUILD)/app ## build build/app (what `make` alone does)

# For make in make: all cores, unless it was told how many. `run` and `check` are for one at a time
# in a clone.
ALL_CORES = --no-print-directory $(if $(findstring --jobserver,$(MAKEFLAGS)),,-j"$$(nproc)")
LOCKED = @mkdir -p $(BUILD) && flock $(BUILD)

# Who only looks at it has no login to protect the todos by: no other machine reaches it.
run: ## install what is missing, build, serve on port 8000 of this machine
	@tests/install-packages build run
	$(LOCKED) $(MAKE) $(ALL_CORES) app
	@HTTP_ADDRESS="$${HTTP_ADDRESS:-127.0.0.1}" $(BUILD)/app serve

check: ## install what is missing, build, run all tests on SQLite and on MariaDB
	@tests/install-packages build check
	$(LOCKED) $(MAKE) $(ALL_CORES) $(BUILD)/app $(BUILD)/unit $(BUILD)/integration
	@tests/run $(BUILD) $(if $(HARDENING),hardening) help deploy unit integration $(if $(WITHOUT_BROWSER),,browser)

unit: $(BUILD)/unit ## run the unit tests
	@tests/run $(BUILD) unit

integration: $(BUILD)/app $(BUILD)/integration ## run the integration tests on SQLite and on a private MariaDB
	@tests/run $(BUILD) integration

browser: $(BUILD)/app ## test the web page in Chromium, on SQLite and on a private MariaDB
	@tests/run $(BUILD) browser

screenshot: $(BUILD)/app ## take the README's picture of the web page
	TEST_APP=$(BUILD)/app TEST_SCREENSHOT=tests/browser/screenshot.png tests/browser/run pages.test.js

report: ## run the unit and integration tests: JUnit XML and the coverage, as Cobertura XML, in reports/
	@tests/install-packages build check coverage
	rm -rf build/coverage reports
	mkdir -p reports
	@$(MAKE) $(ALL_CORES) BUILD=build/coverage CFLAGS='-O0 -g --coverage' \
	    HARDENING= app build/coverage/unit build/coverage/integration
	TEST_REPORT=reports/unit.xml build/coverage/unit
	@# the first in the background: both mostly wait
	TEST_REPORT=reports/integration.xml TEST_APP=build/coverage/app \
	    build/coverage/integration sqlite >reports/sqlite.log 2>&1 & \
	    TEST_REPORT=reports/integration-mysql.xml TEST_APP=build/coverage/app \
	    tests/mariadb build/coverage/integration mysql; \
	    mysql=$$?; wait $$!; sqlite=$$?; cat reports/sqlite.log; rm reports/sqlite.log; \
	    [ $$mysql$$sqlite = 00 ]
	gcovr --root . --filter app/ --xml reports/coverage.xml --print-summary build/coverage

sanitize: ## the same as check but the browser, with AddressSanitizer and UndefinedBehaviorSanitizer
	@UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) --no-print-directory BUILD=build/sanitize check WITHOUT_BROWSER=1 \
	    CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	    HARDENING=

# A stop that gives the database up leaves its threads where they are.
sanitize-threads: export TSAN_OPTIONS := report_thread_leaks=0
sanitize-threads: ## unit and integration tests with ThreadSanitizer; on MariaDB, those of many clients
	@tests/install-packages build check
	@$(MAKE) $(ALL_CORES) BUILD=build/threads HARDENING= CFLAGS='-O1 -g -fsanitize=thread -fno-omit-frame-pointer' \
	    app build/threads/unit build/threads/integration
	@tests/run build/threads unit concurrency

failures: ## install what is missing, let every call that can fail do so once
	@tests/install-packages build check
	@$(MAKE) $(ALL_CORES) BUILD=build/failures build/failures/app HARDENING= \
	    CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	    WRAPPER=build/failures/obj/tests/failures/fail.o
	@tests/mariadb tests/failures/run build/failures/app

cluster faults: ROUNDS := 3
cluster: ## install what is missing, test on a Galera cluster, and on MySQL with group replication and with TLS (ROUNDS=3: of failures)
	@tests/install-packages build check cluster
	@$(MAKE) $(ALL_CORES) app $(BUILD)/integration
	@TEST_ROUNDS=$(ROUNDS) tests/run $(BUILD) galera group-replication mysql-tls

faults: ## install what is missing, let databases fail under each request (ROUNDS=3: and crash)
	@tests/install-packages build check
	@$(MAKE) $(ALL_CORES) $(BUILD)/app $(BUILD)/integration
	@TEST_ROUNDS='$(ROUNDS)' tests/run $(BUILD) faults

deploy-check: $(BUILD)/app ## install what is missing, check all of deploy/
	@tests/install-packages build deploy
	@tests/deploy/run

SECONDS := 20
fuzz: ## install what is missing, try random input on all that reads input (SECONDS=20: for each)
	@tests/install-packages build fuzz
	@$(MAKE) $(ALL_CORES) BUILD=build/fuzz CC=clang HARDENING= \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all' \
	    $(patsubst tests/fuzz/%.c,build/fuzz/%,$(wildcard tests/fuzz/*.c \
    tests/failures/*.c))
	@tests/fuzz/run build/fuzz $(SECONDS)

bench: ## install what is missing, measure against yardsticks (BENCH=quick: only the main figures)
	@tests/install-packages build check bench
	@$(MAKE) $(ALL_CORES) app $(BUILD)/bench/database $(BUILD)/bench/relay
	@# what the database has by default, and tests/mariadb cuts down
	MARIADB_OPTIONS='--innodb-buffer-pool-size=128M --innodb-log-file-size=96M --innodb-log-buffer-size=16M' \
	    tests/mariadb tests/bench/run $(BUILD)

bench-waiters: ## install what is missing, measure 1,000 who wait for a change, and what they cost others
	@tests/install-packages build check bench
	@$(MAKE) $(ALL_CORES) app $(BUILD)/bench/database $(BUILD)/bench/waiters
	@tests/bench/wait $(BUILD)

format: ## format the C files in place
	clang-format -i $(C_FILES)

format-check: ## fail if a C file is not formatted
	@echo clang-format
	@clang-format --dry-run -Werror $(C_FILES)

# gcc 12's analyzer sees leaks where an array's element owns memory; make sanitize looks for real ones.
lint: ## install what is missing, then all that can be checked without running anything
	@tests/install-packages build check lint
	@$(MAKE) --no-print-directory format-check
	tests/lint-includes
	@echo tests/faults/compile
	@tests/faults/compile $(CC) $(ALL_CFLAGS)
	shellcheck $(SCRIPTS)
	@$(MAKE) --no-print-directory $(BUILD)/version.h
	@$(MAKE) $(ALL_CORES) BUILD=build/clang CC=clang WERROR=-Werror objects test-objects
	@$(MAKE) $(ALL_CORES) BUILD=build/analyze CC=gcc \
	    CFLAGS='-O2 -fanalyzer -Wno-analyzer-malloc-leak' WERROR=-Werror objects
	@echo cppcheck
	@cppcheck --quiet --std=c11 --enable=warning,performance,portability,style --inline-suppr \
	    --suppress=missingIncludeSystem --suppress=redundantContinue --suppress=variableScope \
	    --error-exitcode=1 -Iapp $(SOURCES) $(TEST_SOURCES)
	@$(MAKE) --no-print-directory CC=clang tidy

tidy:
	@echo clang-tidy
	@printf '%s\n' $(SOURCES) $(TEST_SOURCES) | xargs -n 6 -P "$$(nproc)" sh -c \
	    'clang-tidy --quiet "$$@" -- $(ALL_CFLAGS) 2>/dev/null' clang-tidy

test: image-tag ## the same as report, in a container; the results are copied to reports/
	$(COMPOSE_RELEASE) build $(FRESH) test
	@docker rm --force --volumes '$(PROJECT)-report' >/dev/null 2>&1; \
	status=0; $(COMPOSE_RELEASE) run --name '$(PROJECT)-report' test || status=1; \
	rm -rf reports; docker cp '$(PROJECT)-report:/src/reports' . || status=1; \
	docker rm --volumes '$(PROJECT)-report' >/dev/null; exit $$status

# step FAULT,COMMAND: where it fails, what the containers logged is shown, and the fault last.
step = $(2) || { $(COMPOSE_RELEASE) ps --all; $(COMPOSE_RELEASE) logs --tail 20 db migrate app; \
    echo 'make release: $(1)' >&2; exit 1; }

release: export APP_PORT ?= 0
release: image-tag ## build the release image, run it on a new database, accept it (PULL=1: on fresh packages)
	$(COMPOSE_RELEASE) build $(FRESH) release
	$(COMPOSE_RELEASE) build acceptance
	@$(call step,what ran before could not be removed,$(COMPOSE_RELEASE) down --volumes --remove-orphans >/dev/null 2>&1)
	@$(call step,the database did not start,$(COMPOSE_RELEASE) up -d db; \
	    while state=$$(docker inspect --format '{{.State.Status}} {{.State.Health.Status}}' \
	        "$$($(COMPOSE_RELEASE) ps --all --quiet db)") && [ "$$state" = 'running starting' ]; do sleep 1; done; \
	    [ "$$state" = 'running healthy' ])
	@$(call step,the schema could not be migrated,$(COMPOSE_RELEASE) run --rm migrate)
	@$(call step,the app did not start,$(COMPOSE_RELEASE) up -d app)
	@$(call step,the acceptance tests failed,$(COMPOSE_RELEASE) run --rm acceptance)
	@echo "$(IMAGE_NAME):$$IMAGE_TAG runs at http://localhost:$$($(COMPOSE_RELEASE) port app 8000 | sed 's/.*://')"

publish: image-tag ## push what make release built; make login first where the registry wants it
	@case $$IMAGE_TAG in *dirty | *unknown) \
	    echo "This version is not a commit: $$IMAGE_TAG" >&2; exit 1 ;; esac
	@docker image inspect "$(IMAGE_NAME):$$IMAGE_TAG" >/dev/null || \
	    { echo "There is no image $(IMAGE_NAME):$$IMAGE_TAG: make release first" >&2; exit 1; }
	docker tag "$(IMAGE_NAME):$$IMAGE_TAG" "$(IMAGE):$$IMAGE_TAG"
	docker push "$(IMAGE):$$IMAGE_TAG"

# What Docker allows, said before anything is built.
image-tag:
	@case $$IMAGE_TAG in [!A-Za-z0-9_]* | *[!A-Za-z0-9_.-]*) false ;; esac && [ $${#IMAGE_TAG} -le 128 ] || \
	    { echo "APP_VERSION is the image's tag: at most 128 letters, digits, _, . and -, not" \
	        "beginning with . or -; it is: $$IMAGE_TAG" >&2; exit 1; }

login: ## log in to REGISTRY; with REGISTRY_USER, the password comes from standard input
	docker login $(if $(REGISTRY_USER),--username '$(REGISTRY_USER)' --password-stdin) $(REGISTRY)

logout: ## log out of REGISTRY
	docker logout $(REGISTRY)

version: ## print the version, the commit and the release image's name, as JSON
	@: $(info {"Version": $(call quoted,$(IMAGE_TAG)), "Commit": $(call quoted,$(APP_COMMIT)), \
	    "Image": $(call quoted,$(IMAGE):$(IMAGE_TAG))})

PREFIX ?= /usr/local
install: $(BUILD)/app $(BUILD)/app.1 $(BUILD)/completion.bash ## install the program, its man page and completion below PREFIX (DESTDIR: before it)
	install -D -m 755 $(BUILD)/app '$(DESTDIR)$(PREFIX)/bin/app'
	install -D -m 644 $(BUILD)/app.1 '$(DESTDIR)$(PREFIX)/share/man/man1/app.1'
	install -D -m 644 $(BUILD)/completion.bash '$(DESTDIR)$(PREFIX)/share/bash-completion/completions/app'

# The program knows both.
$(BUILD)/app.1: OPTION := --man
$(BUILD)/completion.bash: OPTION := --completion
$(BUILD)/app.1 $(BUILD)/completion.bash: $(BUILD)/app
	@$(BUILD)/app help $(OPTION) >$@

DEB := $(BUILD)/todobackend.deb
deb: ## install what is missing, build a Debian package for this Debian: build/todobackend.deb
	@tests/install-packages build deb
	$(LOCKED) $(MAKE) $(ALL_CORES) $(DEB)

.PHONY: $(DEB)
$(DEB): $(BUILD)/app
	deploy/debian-package $(BUILD)/app '$(IMAGE_TAG)' $@

clean: ## remove what was built, and the containers; their databases stay
	rm -rf build reports
	! { docker version && $(COMPOSE) version; } >/dev/null 2>&1 || \
	    { $(COMPOSE) down --remove-orphans && $(COMPOSE_RELEASE) down --remove-orphans; }

clean-data: ## remove the containers and their databases: all todos of `docker compose up`
	$(COMPOSE) down --volumes --remove-orphans
	$(COMPOSE_RELEASE) down --volumes --remove-orphans

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Not for people: everything compiled, nothing run.
.PHONY: objects test-objects
objects: $(OBJECTS)
test-objects: $(TEST_OBJECTS)

# WRAPPER: an object whose functions __wrap_NAME the program calls in the place of NAME.
$(BUILD)/app: $(OBJECTS) $(WRAPPER)
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) $(if $(WRAPPER),$$(nm $(WRAPPER) | sed -n 's/.* T __wrap_/-Wl,--wrap=/p')) \
	    -o $@ $^ $(PACKAGES_LIBS) $(LDLIBS)

$(BUILD)/unit: $(filter %/check.o %/gunzip.o %/report.o $(BUILD)/obj/tests/unit/%,$(TEST_OBJECTS)) $(PARTS)
$(BUILD)/integration: $(filter $(BUILD)/obj/tests/integration/%,$(TEST_OBJECTS)) $(PARTS)
$(BUILD)/unit $(BUILD)/integration:
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGES_LIBS) -lcunit $(LDLIBS)

build/fuzz/%: build/fuzz/obj/tests/fuzz/%.o $(PARTS)
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(PACKAGES_LIBS) $(LDLIBS)

$(BUILD)/bench/database: $(BUILD)/obj/tests/bench/database.o $(PARTS)
$(BUILD)/bench/relay: $(BUILD)/obj/tests/bench/relay.o $(BUILD)/obj/tests/integration/relay.o $(PARTS)
$(BUILD)/bench/waiters: $(BUILD)/obj/tests/bench/waiters.o $(BUILD)/obj/tests/integration/http_client.o $(PARTS)
$(BUILD)/bench/database $(BUILD)/bench/relay $(BUILD)/bench/waiters:
	@mkdir -p $(@D)
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGES_LIBS) $(LDLIBS)

$(BUILD)/obj/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "$(CC) $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

EMBEDDED := $(BUILD)/obj/migrations.o $(BUILD)/obj/static_files.o
$(EMBEDDED): $(BUILD)/obj/%.o: $(BUILD)/%.c $(BUILD)/flags
	@mkdir -p $(@D)
	@echo "$(CC) $<"
	@$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The folders are named too: a file that was removed leaves only their time behind.
$(BUILD)/migrations.c: migrations $(wildcard migrations/* migrations/*/*)
	@mkdir -p $(@D)
	@sh migrations/embed.sh migrations >$@.$$$$ && mv $@.$$$$ $@

$(BUILD)/static_files.c: app/server/embed_static.sh static $(wildcard static/*)
	@mkdir -p $(@D)
	@sh app/server/embed_static.sh static >$@.$$$$ && mv $@.$$$$ $@

# Written only when they change, so that what depends on them is built again just then; aside and
# then renamed, as all that is generated: another make may be reading.
define VERSION_H
#define APP_VERSION $(call quoted,$(IMAGE_TAG))
#define APP_COMMIT $(call quoted,$(or $(APP_COMMIT),unknown))
endef
$(BUILD)/obj/app/cmd/version.o $(BUILD)/obj/app/cmd/man.o: $(BUILD)/version.h
$(BUILD)/version.h: export CONTENT = $(VERSION_H)
$(BUILD)/flags: export CONTENT = $(CC) $(ALL_CFLAGS)
$(BUILD)/version.h $(BUILD)/flags: tools
	@mkdir -p $(@D)
	@printf '%s\n' "$$CONTENT" >$@.$$$$; if cmp -s $@.$$$$ $@; then rm $@.$$$$; else mv $@.$$$$ $@; fi

tools:
	@{ command -v $(firstword $(CC)) && command -v pkg-config && pkg-config --exists $(PACKAGES); } >/dev/null 2>&1 || { \
	    echo 'A compiler, pkg-config or the libraries $(PACKAGES) are missing: `make run` installs them.' >&2; exit 1; }

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
