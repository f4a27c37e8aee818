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

HARDENING_x86_64 := -fcf-protection=full
HARDENING_aarch64 := -mbranch-protection=standard
HARDENING := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
    -fstack-clash-protection $(HARDENING_$(shell uname -m)) -fno-delete-null-pointer-checks \
    -fno-strict-overflow
HARDENING_LINK := -Wl,-z,relro,-z,now,-z,noexecstack

# Asked for once, and only when something is built: before that, they may not be installed.
once = $(eval $(1) := $$(shell $(2)))$($(1))
MYSQL = $(call once,MYSQL,pkg-config --exists libmariadb && echo libmariadb || echo mysqlclient)
PACKAGES = libmicrohttpd jansson sqlite3 $(MYSQL)
PACKAGES_CFLAGS = $(call once,PACKAGES_CFLAGS,pkg-config --cflags $(PACKAGES) | sed 's/-I */-isystem /g')
PACKAGES_LIBS = $(call once,PACKAGES_LIBS,pkg-config --libs $(PACKAGES)) -lm
IS_GCC = $(call once,IS_GCC,$(CC) --version | grep -i 'free software' >/dev/null && echo gcc)

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -ffile-prefix-map=$(CURDIR)=. -fPIE -pthread -Iapp -I$(BUILD) \
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
TEST_SOURCES := $(sort $(wildcard tests/unit/*.c tests/integration/*.c tests/bench/*.c))
TEST_OBJECTS := $(TEST_SOURCES:%.c=$(BUILD)/obj/%.o)
C_FILES := $(SOURCES) $(TEST_SOURCES) $(sort $(wildcard app/*/*.h tests/*/*.h))
SCRIPTS := $(shell grep -lE '^\#!/(bin/(ba)?sh|usr/bin/env bats)' tests/* tests/*/* migrations/* \
    app/server/*.sh deploy/* .ci/* 2>/dev/null)

# Images: REGISTRY is what docker push and docker login call it, empty for Docker Hub. All else of
# the containers is in docker-compose.yml; `docker compose` is taken where there is one.
IMAGE_NAME ?= todobackend
REGISTRY ?=
IMAGE := $(REGISTRY:%=%/)$(IMAGE_NAME)
IMAGE_VERSION = $(or $(APP_VERSION),0.0.0-$(or $(APP_COMMIT),unknown))
COMPOSE = $(call once,COMPOSE,docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)
test release clean: export IMAGE_TAG = $(IMAGE_VERSION)
export IMAGE APP_COMMIT

.DELETE_ON_ERROR:
.PHONY: app run check unit integration report browser screenshot sanitize bench format format-check lint tidy \
    clean help FORCE
.PHONY: test release publish login logout version

app: $(BUILD)/app ## build build/app (what `make` alone does)

run: ## install what is missing, build, serve on port 8000
	@tests/install-packages build
	@$(MAKE) --no-print-directory -j"$$(nproc)" app
	$(BUILD)/app serve

check: ## install what is missing, build, run all tests on SQLite and on MariaDB
	@tests/install-packages build check
	@$(MAKE) --no-print-directory -j"$$(nproc)" objects test-objects
	@$(MAKE) --no-print-directory unit
	@$(MAKE) --no-print-directory integration
	@$(if $(WITHOUT_BROWSER),,TEST_APP=$(BUILD)/app tests/browser/run --if-possible)

unit: $(BUILD)/unit ## run the unit tests
	$(BUILD)/unit

integration: $(BUILD)/app $(BUILD)/integration ## run the integration tests on SQLite and on a private MariaDB
	TEST_APP=$(BUILD)/app $(BUILD)/integration sqlite
	tests/mariadb env TEST_APP=$(BUILD)/app $(BUILD)/integration mysql
	MARIADB_TLS=1 tests/mariadb env TEST_APP=$(BUILD)/app \
	    sh -c '$(BUILD)/integration mysql tls && $(BUILD)/integration mysql store_mysql && $(BUILD)/integration mysql outage'

browser: $(BUILD)/app ## test the web page in Chromium, on SQLite and on a private MariaDB
	TEST_APP=$(BUILD)/app tests/browser/run

screenshot: $(BUILD)/app ## take the README's picture of the web page
	TEST_APP=$(BUILD)/app TEST_SCREENSHOT=tests/browser/screenshot.png tests/browser/run --only-sqlite pages.test.js

report: ## run the unit and SQLite tests: JUnit XML and the coverage, as Cobertura XML, in reports/
	@tests/install-packages build coverage
	rm -rf build/coverage reports
	mkdir -p reports
	@$(MAKE) --no-print-directory BUILD=build/coverage CFLAGS='-O0 -g --coverage' HARDENING= \
	    -j"$$(nproc)" app build/coverage/unit build/coverage/integration
	TEST_REPORT=reports/unit.xml build/coverage/unit
	TEST_REPORT=reports/integration.xml TEST_APP=build/coverage/app \
	    build/coverage/integration sqlite
	gcovr --root . --filter app/ --xml reports/coverage.xml --print-summary build/coverage

sanitize: ## the same as check but the browser, with AddressSanitizer and UndefinedBehaviorSanitizer
	@UBSAN_OPTIONS=print_stacktrace=1 $(MAKE) --no-print-directory BUILD=build/sanitize check WITHOUT_BROWSER=1 \
	    CFLAGS='-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer' \
	    HARDENING=

bench: ## install what is missing, measure against yardsticks (BENCH=quick: only the main figures)
	@tests/install-packages build check bench
	@$(MAKE) --no-print-directory -j"$$(nproc)" app $(BUILD)/bench/database $(BUILD)/bench/relay
	@# what the database has by default, and tests/mariadb cuts down
	MARIADB_OPTIONS='--innodb-buffer-pool-size=128M --innodb-log-file-size=96M --innodb-log-buffer-size=16M' \
	    tests/mariadb tests/bench/run $(BUILD)

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
	shellcheck $(SCRIPTS)
	@$(MAKE) --no-print-directory $(BUILD)/version.h
	@$(MAKE) --no-print-directory BUILD=build/clang -j"$$(nproc)" CC=clang WERROR=-Werror objects test-objects
	@$(MAKE) --no-print-directory BUILD=build/analyze -j"$$(nproc)" CC=gcc \
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

test: ## the same as report, in a container; the results are copied to reports/
	$(COMPOSE) build test
	@docker rm --force --volumes '$(IMAGE_NAME)-report' >/dev/null 2>&1; \
	status=0; $(COMPOSE) run --name '$(IMAGE_NAME)-report' test || status=1; \
	rm -rf reports; docker cp '$(IMAGE_NAME)-report:/src/reports' . || status=1; \
	docker rm --volumes '$(IMAGE_NAME)-report' >/dev/null; exit $$status

release: ## build the release image, run it on a database, accept it (deletes that database's todos)
	$(COMPOSE) build release acceptance
	$(COMPOSE) up -d app || { $(COMPOSE) logs --tail 20 migrate app; exit 1; }
	$(COMPOSE) run --rm acceptance
	@echo "$(IMAGE):$(IMAGE_VERSION) runs at http://localhost:$$($(COMPOSE) port app 8000 | sed 's/.*://')"

publish: ## push the release image; make login first where the registry wants it
	@case '$(IMAGE_VERSION)' in *dirty | *unknown) \
	    echo 'This version is not a commit: $(IMAGE_VERSION)' >&2; exit 1 ;; esac
	docker push '$(IMAGE):$(IMAGE_VERSION)'

login: ## log in to REGISTRY; with REGISTRY_USER, the password comes from standard input
	docker login $(if $(REGISTRY_USER),--username '$(REGISTRY_USER)' --password-stdin) $(REGISTRY)

logout: ## log out of REGISTRY
	docker logout $(REGISTRY)

version: ## print the version, the commit and the release image's name, as JSON
	@echo '{"Version": "$(IMAGE_VERSION)", "Commit": "$(APP_COMMIT)", "Image": "$(IMAGE):$(IMAGE_VERSION)"}'

clean: ## remove what was built, the containers and their database
	rm -rf build reports
	! { docker version && $(COMPOSE) version; } >/dev/null 2>&1 || $(COMPOSE) down --volumes --remove-orphans

help: ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

# Not for people: everything compiled, nothing run.
.PHONY: objects test-objects
objects: $(OBJECTS)
test-objects: $(TEST_OBJECTS)

$(BUILD)/app: $(OBJECTS)
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGES_LIBS) $(LDLIBS)

$(BUILD)/unit: $(filter %/check.o %/report.o $(BUILD)/obj/tests/unit/%,$(TEST_OBJECTS)) $(PARTS)
$(BUILD)/integration: $(filter $(BUILD)/obj/tests/integration/%,$(TEST_OBJECTS)) $(PARTS)
$(BUILD)/unit $(BUILD)/integration:
	@echo "$(CC) -o $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(PACKAGES_LIBS) -lcunit $(LDLIBS)

$(BUILD)/bench/database: $(BUILD)/obj/tests/bench/database.o $(PARTS)
$(BUILD)/bench/relay: $(BUILD)/obj/tests/bench/relay.o
$(BUILD)/bench/database $(BUILD)/bench/relay:
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
	@sh migrations/embed.sh migrations >$@

$(BUILD)/static_files.c: app/server/embed_static.sh static $(wildcard static/*)
	@mkdir -p $(@D)
	@sh app/server/embed_static.sh static $(@D) >$@

# Written only when they change, so that what depends on them is built again just then.
define VERSION_H
#define APP_VERSION "$(or $(APP_VERSION),0.0.0)"
#define APP_COMMIT "$(or $(APP_COMMIT),unknown)"
endef
$(BUILD)/obj/app/cmd/version.o: $(BUILD)/version.h
$(BUILD)/version.h: CONTENT = $(VERSION_H)
$(BUILD)/flags: CONTENT = $(CC) $(ALL_CFLAGS)
$(BUILD)/version.h $(BUILD)/flags: FORCE
	@$(shell mkdir -p $(@D))$(file >$@.new,$(CONTENT))
	@if cmp -s $@.new $@; then rm $@.new; else mv $@.new $@; fi

-include $(OBJECTS:.o=.d) $(TEST_OBJECTS:.o=.d)
