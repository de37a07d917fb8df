# Igra signer.  GNU make (gmake on OpenBSD).
#
#   make              all programs into build/bin/
#   make demo         the main job, start to finish, on this machine
#   make check        all tests, at most 15 minutes
#   make check-quick  all tests once, without the sanitizers
#   make check-long   the long figures
#   make fault        1,000 kills of any daemon under load
#   make soak         mixed load for HOURS=24, and what it does to memory
#   make bench        speed, as ratios measured in one run
#   make asan         everything under AddressSanitizer and UBSan, in build/asan/
#   make fuzz         every fuzz target, SECONDS=N each (60)
#   make lint         static analysis, the manual pages, and portability
#   make portability  all of it as OpenBSD would compile it
#   make deps         install what Debian 12 needs
#   make install      DESTDIR= PREFIX=; as root also users, directories, units

BUILD	?= build
PREFIX	?= /usr/local
DESTDIR	?=
SYSCONFDIR ?= /etc
CC	?= cc
YACC	?= byacc
VERSION	= 0.1.0

PROGRAMS = igra-keyd igra-signd igra-auditd igra-service igractl \
	secrets-admin devnet-keygen igra-audit igra-coord igra-pskt
# Where main() lives; every other source of a room goes into its library.
MAIN_igra-keyd		= keyd/keyd.c
MAIN_igra-signd		= signd/signd.c
MAIN_igra-auditd	= auditd/auditd.c
MAIN_igra-service	= common/igra-service.c
MAIN_igractl		= keyd/igractl.c
MAIN_secrets-admin	= keyd/secrets-admin.c
MAIN_devnet-keygen	= keyd/devnet-keygen.c
MAIN_igra-audit	= auditd/igra-audit.c
MAIN_igra-coord	= signd/igra-coord.c
MAIN_igra-pskt	= signd/igra-pskt.c
# A program links its own room and what all share, and no other room.
ROOMS_igra-keyd		= keyd
ROOMS_igra-signd	= signd
ROOMS_igra-auditd	= auditd
ROOMS_igra-service	= keyd
ROOMS_igractl		= keyd
ROOMS_secrets-admin	= keyd
ROOMS_devnet-keygen	= keyd
ROOMS_igra-audit	= auditd
ROOMS_igra-coord	= signd
ROOMS_igra-pskt	= signd
MAINS	= $(foreach p,$(PROGRAMS),$(MAIN_$(p)))

PKGS_common	= libsodium libevent yajl libsecp256k1 libargon2
# In OpenBSD's own libc, or not there.
ifeq ($(shell uname -s),Linux)
PKGS_common	+= libbsd-overlay libmd libseccomp
endif
# HTTP to Unix sockets, for one program alone: no daemon links it.
PKGS_igra-coord	= libcurl
PKGS_all = $(PKGS_common) $(PKGS_igra-coord)

cc-option = $(shell $(CC) -Werror $(1) -c -x c /dev/null -o /dev/null 2>/dev/null && echo $(1))
HARDEN	:= -fstack-protector-strong -fPIE -D_FORTIFY_SOURCE=2 \
	$(call cc-option,-fstack-clash-protection) $(call cc-option,-fcf-protection=full)
LDHARDEN = -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed
WARN	= -Wall -Wextra -Wshadow -Wconversion -Werror
OPT	= -O2 -g

# The list of packages is asked once per make, and only when compiling.
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS_all) 2>/dev/null)
PKG_LIBS   := $(shell pkg-config --libs $(PKGS_common) 2>/dev/null)
LIBS_igra-coord := $(shell pkg-config --libs $(PKGS_igra-coord) 2>/dev/null)

ifdef SAN
OPT	= -O1 -g -fno-omit-frame-pointer
HARDEN	= -fPIE
SANFLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all
CPPSAN	= -DIGRA_SANITIZED
endif
ifdef FUZZER
SANFLAGS += -fsanitize=fuzzer-no-link
endif

# Secrets from the environment: for devnet and testnet, in a build of its own.
ifdef ENV_SECRETS
CPPENV	= -DENV_SECRETS
else
LEFT_OUT = keyd/envstore.c
endif

# A build that can attack from within its sandbox: for tests/sandbox alone.
ifdef TEST_ENTRY
CPPENV	+= -DIGRA_TEST_ENTRY
MORE_common = $(wildcard tests/sandbox/*.c)
endif

# Either of these from the objects of another, finished build, BASE, but for
# what depends on a file that they make a difference to.
ifdef BASE
OTHERS	:= $(shell grep -lE 'ENV_SECRETS|IGRA_TEST_ENTRY' */*.[chy])
SAME	:= $(patsubst $(BASE)/obj/%.d,%.o,$(shell find $(BASE)/obj -name '*.d' \
	    -exec grep -LFw $(OTHERS:%=-e %) {} +))
endif

# As OpenBSD would compile it, on Linux: with headers of what only OpenBSD has,
# and POSIX and BSD alone (make portability).
ifdef PORTABLE
OPT	= -O0
HARDEN	=
SYSTEM_CFLAGS = -U__linux__ -U__linux -U__gnu_linux__ -D__OpenBSD__ \
	-D_DEFAULT_SOURCE -D_XOPEN_SOURCE=700 -Itests/portability/include
else
SYSTEM_CFLAGS = -D_GNU_SOURCE
endif

IGRA_CFLAGS = -std=c11 $(OPT) $(WARN) $(HARDEN) $(SANFLAGS) -MMD -MP \
	$(SYSTEM_CFLAGS) -DIGRA_VERSION='"$(VERSION)"' $(CPPSAN) $(CPPENV) \
	-I. -Icommon -Iproto -I$(BUILD)/gen $(PKG_CFLAGS)
IGRA_LDFLAGS = $(LDHARDEN) $(SANFLAGS)
IGRA_LIBS = $(PKG_LIBS) -lzxcvbn -lm

ROOMS	= common proto keyd signd auditd
src_of	= $(filter-out $(MAINS) $(LEFT_OUT),$(wildcard $(1)/*.c) $(wildcard $(1)/compat/*.c))
objs_in	= $(addprefix $(BASE)/obj/,$(filter $(SAME),$(1))) \
	$(addprefix $(BUILD)/obj/,$(filter-out $(SAME),$(1)))
obj_of	= $(call objs_in,$(patsubst %.c,%.o,$(1)))
LIBS	= $(foreach r,$(ROOMS),$(BUILD)/lib/lib$(r).a)

UNIT_TESTS = $(patsubst tests/unit/%.c,$(BUILD)/tests/%,$(wildcard tests/unit/test_*.c))
UNIT_HELP  = $(call obj_of,$(filter-out tests/unit/test_%.c,$(wildcard tests/unit/*.c)))
FUZZ_TESTS = $(patsubst tests/fuzz/%.c,$(BUILD)/tests/%,$(wildcard tests/fuzz/fuzz_*.c))
ifdef FUZZER
FUZZ_LDFLAGS = -fsanitize=fuzzer
else
FUZZ_MAIN = $(BUILD)/obj/tests/fuzz/replay.o
endif
FUZZ_HELP = $(call obj_of,tests/fuzz/json_strict.c tests/unit/proto_msg.c)
TOOLS	= $(patsubst tests/bench/%.c,$(BUILD)/tests/%,$(wildcard tests/bench/*.c)) \
	$(patsubst tests/e2e/%.c,$(BUILD)/tests/%,$(wildcard tests/e2e/*.c)) \
	$(patsubst tests/fault/%.c,$(BUILD)/tests/%.so,$(wildcard tests/fault/*.c)) \
	$(FUZZ_TESTS)

all: programs
programs: $(PROGRAMS:%=$(BUILD)/bin/%)
tests: $(UNIT_TESTS) $(TOOLS)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_CFLAGS) $(CFLAGS) -c -o $@ $<

# The grammar of the config.  byacc's skeleton is not ours to make warning-clean.
$(BUILD)/gen/%.tab.c: %.y
	@mkdir -p $(@D)
	$(Q)$(YACC) -o $@ $<
$(BUILD)/obj/%.tab.o: $(BUILD)/gen/%.tab.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_CFLAGS) -Wno-conversion -Wno-shadow -Wno-sign-conversion $(CFLAGS) -c -o $@ $<

GRAMMARS = $(wildcard common/*.y)
define room_lib
$(BUILD)/lib/lib$(1).a: $(call obj_of,$(call src_of,$(1)) $(MORE_$(1))) $(call objs_in,$(patsubst %.y,%.tab.o,$(wildcard $(1)/*.y)))
	@mkdir -p $$(@D)
	@rm -f $$@
	$$(Q)ar rcs $$@ $$^
endef
$(foreach r,$(ROOMS),$(eval $(call room_lib,$(r))))

libs_of	= $(foreach r,$(1) proto common,$(BUILD)/lib/lib$(r).a)
define program
$(BUILD)/bin/$(1): $(call obj_of,$(MAIN_$(1))) $(call libs_of,$(ROOMS_$(1)))
	@mkdir -p $$(@D)
	$$(Q)$$(CC) $(IGRA_LDFLAGS) $$(LDFLAGS) -o $$@ $$< -Wl,--start-group $(call libs_of,$(ROOMS_$(1))) -Wl,--end-group $(LIBS_$(1)) $(IGRA_LIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(BUILD)/tests/%: $(BUILD)/obj/tests/unit/%.o $(UNIT_HELP) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_LDFLAGS) -o $@ $< $(UNIT_HELP) -Wl,--start-group $(LIBS) -Wl,--end-group \
		`pkg-config --libs check` $(IGRA_LIBS)
$(BUILD)/tests/%: $(BUILD)/obj/tests/bench/%.o $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(IGRA_LIBS)
$(BUILD)/tests/%: $(BUILD)/obj/tests/e2e/%.o $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(IGRA_LIBS)
# What tests/fault loads before libc.
$(BUILD)/tests/%.so: tests/fault/%.c
	@mkdir -p $(@D)
	$(Q)$(CC) -std=c11 -O2 -g $(WARN) -D_GNU_SOURCE -fPIC -shared -o $@ $<
# A program that replays inputs; with FUZZER set (make fuzz) a fuzzer.
$(BUILD)/tests/fuzz_%: $(BUILD)/obj/tests/fuzz/fuzz_%.o $(FUZZ_MAIN) $(FUZZ_HELP) $(LIBS)
	@mkdir -p $(@D)
	$(Q)$(CC) $(IGRA_LDFLAGS) $(FUZZ_LDFLAGS) -o $@ $< $(FUZZ_MAIN) $(FUZZ_HELP) \
		-Wl,--start-group $(LIBS) -Wl,--end-group $(IGRA_LIBS)

ifndef V
Q = @
endif

# --- tests ---

# What building takes, and what testing takes besides.
DEBIAN_BUILD_DEPS = build-essential pkg-config byacc libsodium-dev \
	libevent-dev libyajl-dev libzxcvbn-dev libsecp256k1-dev libargon2-dev \
	libbsd-dev libmd-dev libseccomp-dev libcurl4-openssl-dev
DEBIAN_DEPS = $(DEBIAN_BUILD_DEPS) check clang libclang-rt-14-dev cppcheck \
	mandoc curl jq python3 util-linux procps valgrind gdb
# Where Node.js is from somewhere else, Debian's npm does not go with it.
ifeq ($(and $(shell command -v node),$(shell command -v npm)),)
DEBIAN_DEPS += nodejs npm
endif
NEEDED_TOOLS = cc byacc pkg-config clang cppcheck mandoc curl jq python3 \
	setpriv node npm
SUDO	= $(shell test `id -u` = 0 || echo sudo)

define apt-install
	@command -v apt-get >/dev/null || { \
		echo "make $@ knows Debian only; install: $(1)" >&2; exit 1; }
	$(SUDO) apt-get update -qq
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $(1) >/dev/null
endef
deps:
	$(call apt-install,$(DEBIAN_DEPS))
build-deps:
	$(call apt-install,$(DEBIAN_BUILD_DEPS))

# What tests/interop compares with.  Without it those tests are skipped.
INTEROP	= tests/interop
INTEROP_DONE = $(INTEROP)/node_modules/.package-lock.json
interop-deps:
	@cd $(INTEROP) && npm ci --loglevel=error >&2 && \
	    touch node_modules/.package-lock.json

# Quiet and fast when nothing is missing.
have-deps:
	@(for t in $(NEEDED_TOOLS); do command -v $$t >/dev/null || exit 1; done) && \
	    pkg-config --exists $(PKGS_all) check && \
	    $(HAVE_ZXCVBN) || \
	    $(MAKE) --no-print-directory deps

HAVE_ZXCVBN = test -e /usr/include/zxcvbn.h -o -e /usr/local/include/zxcvbn.h
have-build-deps:
	@(for t in $(CC) $(YACC) pkg-config; do \
	    command -v $$t >/dev/null || exit 1; done) && \
	    pkg-config --exists $(PKGS_all) && $(HAVE_ZXCVBN) || \
	    $(MAKE) --no-print-directory build-deps

have-interop: have-deps
	@test $(INTEROP_DONE) -nt $(INTEROP)/package-lock.json || \
	    $(MAKE) --no-print-directory interop-deps || \
	    echo "make interop-deps failed: tests/interop will be skipped" >&2

JOBS	= $(shell getconf _NPROCESSORS_ONLN 2>/dev/null || echo 1)
SUBMAKE	= $(MAKE) --no-print-directory -j$(JOBS)

demo: have-deps
	@$(SUBMAKE) programs
	@BUILD=$(BUILD) bash tests/demo.sh

# All tests, twice: as shipped, and under the sanitizers.  Both compilers.
check: have-interop
	@$(SUBMAKE) programs tests
	@$(SUBMAKE) lint
	@$(SUBMAKE) CC=clang BUILD=$(BUILD)/clang programs
	@$(SUBMAKE) asan
	@bash tests/run.sh $(BUILD) $(BUILD)/asan

check-quick: have-interop
	@$(SUBMAKE) programs tests
	@bash tests/run.sh $(BUILD)

check-long: have-interop
	@$(SUBMAKE) programs tests
	@$(SUBMAKE) asan
	@LONG=1 bash tests/run.sh $(BUILD) $(BUILD)/asan
	@$(MAKE) --no-print-directory bench

asan:
	@$(MAKE) --no-print-directory SAN=1 BUILD=$(BUILD)/asan programs tests

# With clang's libFuzzer, into build/fuzz/tests/.
fuzz-targets:
	@$(SUBMAKE) CC=clang SAN=1 FUZZER=1 BUILD=$(BUILD)/fuzz fuzz-programs
fuzz-programs: $(FUZZ_TESTS)
	@:

SECONDS	= 60
fuzz: have-deps fuzz-targets
	@BUILD=$(BUILD) SECONDS_EACH=$(SECONDS) bash tests/fuzz/run.sh

bench: have-deps
	@$(SUBMAKE) programs tests
	@BUILD=$(BUILD) bash tests/bench/run.sh

# Of which make check has 100.
fault: have-deps
	@$(SUBMAKE) programs tests
	@BUILD=$(BUILD) LONG=1 bash tests/fault/kill.sh
	@BUILD=$(BUILD) LONG=1 bash tests/fault/tamper.sh

soak: have-deps
	@$(SUBMAKE) programs tests
	@BUILD=$(BUILD) HOURS=$(HOURS) bash tests/bench/soak.sh

# Every source but the tests' as OpenBSD would compile it, and nothing that is
# Linux's alone but in the files that are for that.
portability:
	@$(SUBMAKE) PORTABLE=1 BUILD=$(BUILD)/portable portable-objects
	@bash tests/portability/check.sh $(BUILD)/portable
portable-objects: $(LIBS) $(call obj_of,$(MAINS))
	@:

lint: portability
	@cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr \
	    --enable=warning,portability --suppress=missingIncludeSystem \
	    --suppress=funcArgOrderDifferent -D__linux__ -DLIBBSD_OVERLAY \
	    -DIGRA_VERSION='"$(VERSION)"' -I. -Icommon -Iproto \
	    -I/usr/include/bsd -j$(JOBS) \
	    common proto keyd signd auditd
	@for m in man/*.[1-9]; do mandoc -Tlint -Wwarning $$m || exit 1; done

# --- installation ---

SBIN_PROGRAMS = igra-keyd igra-signd igra-auditd igra-service igractl
BIN_PROGRAMS = $(filter-out $(SBIN_PROGRAMS),$(PROGRAMS))

EXAMPLE_FILES = etc/igra.toml etc/crontab etc/newsyslog.conf etc/logrotate.conf
EXAMPLES = $(DESTDIR)$(PREFIX)/share/examples/igra
# Where systemd looks besides /etc, for a PREFIX of /usr and /usr/local.
UNITS	= $(DESTDIR)$(PREFIX)/lib/systemd/system
SYSTEM	:= $(shell uname -s)
AT_PREFIX = sed 's|/usr/local/|$(PREFIX)/|g'

# As root on the system itself also users, directories, a config to begin with.
install: have-build-deps
	@$(SUBMAKE) programs
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(EXAMPLES)
	install -m 755 $(BIN_PROGRAMS:%=$(BUILD)/bin/%) $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(SBIN_PROGRAMS:%=$(BUILD)/bin/%) $(DESTDIR)$(PREFIX)/sbin
	install -m 644 $(EXAMPLE_FILES) $(EXAMPLES)
	for m in man/*.[1-9]; do \
		d=$(DESTDIR)$(PREFIX)/share/man/man$${m##*.}; \
		install -d $$d && install -m 644 $$m $$d || exit 1; done
	@$(MAKE) --no-print-directory install-$(SYSTEM)
ifeq ($(DESTDIR),)
	@test `id -u` != 0 || sh etc/setup.sh $(SYSCONFDIR) $(PREFIX)
endif

install-Linux:
	install -d $(UNITS) $(DESTDIR)$(PREFIX)/lib/sysusers.d \
	    $(DESTDIR)$(PREFIX)/lib/tmpfiles.d
	for u in etc/systemd/*; do $(AT_PREFIX) $$u >$(UNITS)/$${u##*/} && \
		chmod 644 $(UNITS)/$${u##*/} || exit 1; done
	install -m 644 etc/sysusers.d/igra.conf $(DESTDIR)$(PREFIX)/lib/sysusers.d
	install -m 644 etc/tmpfiles.d/igra.conf $(DESTDIR)$(PREFIX)/lib/tmpfiles.d

install-OpenBSD:
	install -d $(DESTDIR)/etc/rc.d $(DESTDIR)/etc/login.conf.d
	for f in etc/rc.d/*; do $(AT_PREFIX) $$f >$(DESTDIR)/$$f && \
		chmod 555 $(DESTDIR)/$$f || exit 1; done
	install -m 644 etc/login.conf.d/* $(DESTDIR)/etc/login.conf.d

# Neither systemd nor rc.d.
install-%: ;

clean:
	rm -rf build

.PHONY: all programs tests deps build-deps have-deps have-build-deps \
	install-Linux install-OpenBSD interop-deps have-interop demo \
	check check-quick check-long asan fuzz fuzz-targets fuzz-programs bench \
	fault soak lint portability portable-objects install clean
.SECONDARY:
-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
