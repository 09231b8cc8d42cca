# unwedge: one make process, no recursion into folders; objects and programs under build/.
#
# `make demo` and `make check` install what they need (Debian packages, as root) and then call
# this Makefile again; every other target expects the packages to be there and names what is
# missing.

VERSION := 0.1.0

ifeq ($(origin CC),default)
  CC := gcc
endif
PKG_CONFIG ?= pkg-config
INSTALL ?= install
PREFIX ?= /usr/local
DESTDIR ?=
B ?= build

SBINDIR := $(DESTDIR)$(PREFIX)/bin
LIBEXECDIR := $(DESTDIR)$(PREFIX)/libexec/unwedge
DATADIR := $(DESTDIR)$(PREFIX)/share/unwedge
MANDIR := $(DESTDIR)$(PREFIX)/share/man

WARNINGS := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wformat=2 \
  -Wswitch-enum -Wundef -Wvla -Wcast-qual -Wstrict-prototypes -Wmissing-prototypes \
  -Wnull-dereference -Wimplicit-fallthrough
HARDENING := -fPIE -fstack-protector-strong -fstack-clash-protection -fcf-protection=full \
  -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
# clang 14 wants another switch before it takes this one.
ifeq ($(findstring clang,$(CC)),)
  HARDENING += -ftrivial-auto-var-init=zero
endif
CFLAGS ?= -O2 -g
WERROR ?=
SANITIZE ?=
ALL_CFLAGS := -std=c11 $(WARNINGS) $(WERROR) $(HARDENING) $(CFLAGS) $(SANITIZE)
ALL_CPPFLAGS := -I. -DUW_VERSION='"$(VERSION)"' $(CPPFLAGS)
ALL_LDFLAGS := -pie -Wl,-z,relro,-z,now,-z,noexecstack $(LDFLAGS) $(SANITIZE)

# Library and Debian package, in one place.
LIBRARIES := libcurl:libcurl4-openssl-dev jansson:libjansson-dev uuid:uuid-dev \
  libcrypto:libssl-dev yaml-0.1:libyaml-dev libvirt:libvirt-dev
PC_AGENT := libcurl jansson uuid libcrypto yaml-0.1
PC_PROBE := libvirt jansson
PC_UNIT := cmocka

# Only targets that compile ask pkg-config, so that `make help` and `make check` work on a machine
# that has none of the packages yet.
GOALS := $(if $(MAKECMDGOALS),$(MAKECMDGOALS),all)
NO_COMPILE := help clean check demo packages uninstall
ifneq ($(filter-out $(NO_COMPILE),$(GOALS)),)
  ifeq ($(shell command -v $(PKG_CONFIG)),)
    $(error $(PKG_CONFIG) is missing: apt-get install pkg-config)
  endif
  MISSING := $(strip $(foreach l,$(LIBRARIES),$(shell $(PKG_CONFIG) --exists \
    $(firstword $(subst :, ,$(l))) || echo $(lastword $(subst :, ,$(l))))))
  ifneq ($(MISSING),)
    $(error missing libraries: apt-get install $(MISSING))
  endif
  AGENT_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PC_AGENT))
  AGENT_LIBS := $(shell $(PKG_CONFIG) --libs $(PC_AGENT))
  PROBE_CFLAGS := $(shell $(PKG_CONFIG) --cflags $(PC_PROBE))
  PROBE_LIBS := $(shell $(PKG_CONFIG) --libs $(PC_PROBE))
  UNIT_LIBS := $(shell $(PKG_CONFIG) --libs $(PC_UNIT) 2>/dev/null)
endif

RECOVERY_SRC := $(wildcard recovery/*.c)
POLICIES_SRC := $(wildcard policies/*.c)
PROBE_SRC := $(wildcard agent/probe/*.c)
# The probe shares these with the main program; none of them needs more than jansson.
PROBE_BASE_SRC := agent/base/err.c agent/base/buf.c agent/base/json.c agent/base/clock.c \
  agent/base/files.c agent/libvirt/uri.c
AGENT_SRC := $(filter-out $(PROBE_SRC) agent/main.c,$(wildcard agent/*.c agent/*/*.c))

obj = $(patsubst %.c,$(B)/%.o,$(1))

UNIT_SRC := $(wildcard tests/unit/*/*_test.c tests/unit/*/test_*.c)
UNIT_PROGRAMS := $(patsubst tests/unit/%.c,$(B)/unit/%,$(UNIT_SRC))

all: $(B)/unwedge $(B)/unwedge-probe ## build both programs (the default)

$(B)/librecovery.a: $(call obj,$(RECOVERY_SRC))
$(B)/libpolicies.a: $(call obj,$(POLICIES_SRC))
$(B)/libagent.a: $(call obj,$(AGENT_SRC))
$(B)/%.a:
	@echo "  AR    $@"
	@rm -f $@
	@$(AR) rcs $@ $^

LIBS := $(B)/libagent.a $(B)/libpolicies.a $(B)/librecovery.a

$(B)/unwedge: $(call obj,agent/main.c) $(LIBS) $(B)/.flags
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o %.a,$^) $(AGENT_LIBS)

$(B)/unwedge-probe: $(call obj,$(PROBE_SRC) $(PROBE_BASE_SRC)) $(B)/.flags
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $(filter %.o,$^) $(PROBE_LIBS)

# Feature macros only where the world is touched; recovery/ and policies/ stay plain C11.
$(B)/agent/probe/%.o: ROOM_CFLAGS = -D_GNU_SOURCE $(PROBE_CFLAGS)
$(B)/agent/%.o: ROOM_CFLAGS = -D_GNU_SOURCE $(AGENT_CFLAGS)
$(B)/tests/%.o: ROOM_CFLAGS = -D_GNU_SOURCE $(AGENT_CFLAGS)

$(B)/%.o: %.c $(B)/.flags
	@mkdir -p $(@D)
	@echo "  CC    $<"
	@$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ROOM_CFLAGS) -MMD -MP -c -o $@ $<

# Rewritten only when the command line changed, so that other flags rebuild everything.
$(B)/.flags: FORCE
	@mkdir -p $(B)
	@echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)' | cmp -s - $@ || \
	  echo '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS)' > $@

$(B)/unit/%: $(B)/tests/unit/%.o $(LIBS)
	@mkdir -p $(@D)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AGENT_LIBS) $(UNIT_LIBS)

$(B)/exhaust-states: $(call obj,$(wildcard tests/exhaust/*.c)) $(B)/librecovery.a
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^

$(B)/bench-decide: $(B)/tests/bench/decide.o $(LIBS)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AGENT_LIBS)

# A program for tests/unit/openstack/standin_test.py, not a test by itself.
$(B)/openstack-drive: $(B)/tests/unit/openstack/drive.o $(LIBS)
	@echo "  LINK  $@"
	@$(CC) $(ALL_LDFLAGS) -o $@ $^ $(AGENT_LIBS)

unit-programs: $(UNIT_PROGRAMS) $(B)/openstack-drive
.SECONDARY:

-include $(shell [ -d $(B) ] && find $(B) -name '*.d')

packages: ## install the Debian packages that building and testing need (root)
	contrib/setup/packages build test proof lab

check: ## set everything up, run every test suite, print N passed, N failed, N skipped
	contrib/setup/packages build test proof lab
	tests/run

check-openstack: ## the same against a real Keystone and Nova on two real hosts (tests/nova)
	contrib/setup/packages build lab openstack
	@$(MAKE) --no-print-directory all
	tests/nova/run --program $(B)/unwedge

demo: ## set everything up and show the main job on real libvirt hosts
	contrib/setup/packages build lab
	@$(MAKE) --no-print-directory all
	contrib/demo/demo

lint: all ## dependency rules, allow-lists, clang build, scripts
	tests/lint/lint

proof: ## prove the decision with Frama-C WP
	tests/proof/prove

bench: all $(B)/bench-decide ## measure, as ratios in one run
	tests/bench/bench

install: all ## install under DESTDIR and PREFIX
	$(INSTALL) -d $(SBINDIR) $(LIBEXECDIR) $(DATADIR)/policies $(MANDIR)/man8
	$(INSTALL) -m 0755 $(B)/unwedge $(SBINDIR)/unwedge
	$(INSTALL) -m 0755 $(B)/unwedge-probe $(LIBEXECDIR)/unwedge-probe
	$(INSTALL) -m 0644 policies/*.yaml $(DATADIR)/policies/
	$(INSTALL) -m 0644 agent/unwedge.8 $(MANDIR)/man8/unwedge.8

uninstall: ## remove what install put there
	rm -f $(SBINDIR)/unwedge $(LIBEXECDIR)/unwedge-probe $(MANDIR)/man8/unwedge.8
	rm -rf $(DATADIR)
	[ ! -d $(LIBEXECDIR) ] || rmdir $(LIBEXECDIR)

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  \1\t\2/p' Makefile | expand -t 16

FORCE:
.PHONY: all unit-programs packages check check-openstack demo lint proof bench install uninstall clean help FORCE
