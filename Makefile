# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-warden: everything is built into build/. A new .c file needs no edit here:
# the folder that it lies in says which archive or program it belongs to.
VERSION = 0.1.0
prefix ?= /usr
sysconfdir ?= /etc
localstatedir ?= /var
libdir ?= $(prefix)/lib
DESTDIR ?=
B ?= build
# One spelling, else what was built as B=/…/build (install.sh) and as B=build does not know of changed headers.
override B := $(patsubst $(CURDIR)/%,%,$(abspath $(B)))

CC ?= gcc
OPT ?= -O2 -g
WERROR ?=
HARDEN = -fstack-protector-strong -fstack-clash-protection -fcf-protection -fPIC \
	 $(if $(filter-out -O0,$(filter -O%,$(OPT))),-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
WARN = -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wwrite-strings -Wvla
LDHARDEN = -Wl,-z,relro,-z,now,-z,noexecstack -Wl,--as-needed
SAN ?=

pc = $(shell pkg-config --$(1) $(2) 2>/dev/null)
XML_CFLAGS := $(call pc,cflags,libxml-2.0)
XML_LIBS := $(call pc,libs,libxml-2.0)
# VIR_DOMAIN_EVENT_CALLBACK casts callbacks of every kind, of which clang >= 19 warns.
VIRT_CFLAGS := $(call pc,cflags,libvirt) -Wno-cast-function-type
VIRT_LIBS := $(call pc,libs,libvirt)
JANSSON_LIBS := $(call pc,libs,jansson)
# Linked in where the archive is there: one library less to load, 0.2 ms of every virsh.
INIH_ARCHIVE := $(wildcard $(call pc,variable=libdir,inih)/libinih.a)
INIH_LIBS := $(if $(INIH_ARCHIVE),$(INIH_ARCHIVE),$(call pc,libs,inih))
UDEV_LIBS := $(call pc,libs,libudev)
OSINFO_CFLAGS := $(call pc,cflags,libosinfo-1.0)
OSINFO_LIBS := $(call pc,libs,libosinfo-1.0)
CMOCKA_LIBS := $(call pc,libs,cmocka)
# WITH_CURL=no: alerts without webhooks and Alertmanager.
WITH_CURL ?= yes
CURL_CFLAGS := $(if $(filter yes,$(WITH_CURL)),-DWITH_CURL $(call pc,cflags,libcurl))
CURL_LIBS := $(if $(filter yes,$(WITH_CURL)),$(call pc,libs,libcurl))

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. -Ilib -Ilib/base -Ilib/conf -Ilib/store -Ilib/history -Ilib/probe -Ilib/osindex -Ilib/migrate -Ilib/verify -Ilib/alert \
	-DVW_VERSION='"$(VERSION)"' -DVW_PREFIX='"$(prefix)"' -DVW_SYSCONFDIR='"$(sysconfdir)"' \
	-DVW_LOCALSTATEDIR='"$(localstatedir)"' -DVW_LIBDIR='"$(libdir)"' \
	$(WARN) $(WERROR) $(OPT) $(HARDEN) $(SAN) $(XML_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDHARDEN) -pthread $(SAN) $(LDFLAGS)

# Each step is one short line ("CC lib/plan.c"); V=1 shows the whole command, make -s nothing.
V ?= 0
quiet_make := $(findstring s,$(firstword -$(MAKEFLAGS)))
step = $(if $(filter 1,$(V)),,@$(if $(quiet_make),,echo '$(1) $(2)' && ))

srcs = $(wildcard $(1)/*.c)
objs = $(patsubst %.c,$(B)/obj/%.o,$(call srcs,$(1)))

# Archives: one per room below lib/, each with the one library that it owns.
BASE = $(B)/libwarden-base.a
ENGINE = $(B)/libwarden.a
CONF = $(B)/libwarden-conf.a
HISTORY = $(B)/libwarden-history.a
PROBE = $(B)/libwarden-probe.a
OSINDEX = $(B)/libwarden-osindex.a
MIGRATE = $(B)/libwarden-migrate.a
VERIFY = $(B)/libwarden-verify.a
ALERT = $(B)/libwarden-alert.a
VIRT = $(B)/libwarden-virt.a
ARCHIVES = $(BASE) $(ENGINE) $(CONF) $(HISTORY) $(PROBE) $(OSINDEX) $(MIGRATE) $(VERIFY) $(ALERT)

# plugin/: virsh.c is the wrapper, preload*.c the library, virt-*.c what both it
# and the command share (libvirt side), the rest is the command.
PRELOAD_OBJS = $(patsubst %.c,$(B)/obj/%.o,$(wildcard plugin/preload*.c))
VIRT_OBJS = $(patsubst %.c,$(B)/obj/%.o,$(wildcard plugin/virt-*.c))
CMD_OBJS = $(patsubst %.c,$(B)/obj/%.o,$(filter-out plugin/virsh.c plugin/preload%.c plugin/virt-%.c,$(wildcard plugin/*.c)))

# agent/: alert-*.c are the messenger, virt-warden-alert; the rest is virt-wardend.
AGENT_SHARED = agent/log-socket.c agent/replace-file.c agent/unit.c
AGENT_OBJS = $(patsubst %.c,$(B)/obj/%.o,$(filter-out agent/alert-%.c,$(wildcard agent/*.c)))
ALERT_OBJS = $(patsubst %.c,$(B)/obj/%.o,$(wildcard agent/alert-*.c) $(AGENT_SHARED) plugin/out-alert.c)

# hooks/: main.c (and log.c) are what libvirtd runs; the rest is a library that it loads if need be.
HOOK_OBJS = $(patsubst %.c,$(B)/obj/%.o,hooks/main.c hooks/log.c)
STAGE_OBJS = $(filter-out $(B)/obj/hooks/main.o,$(call objs,hooks))

PROGRAMS = $(B)/virt-warden $(B)/virsh $(B)/virsh-warden.so $(B)/hook $(B)/virt-warden-hook.so $(B)/virt-warden-osinfo \
	$(B)/virt-wardend $(B)/virt-warden-alert

.PHONY: all check check-long unit bench demo lint install uninstall hosts clean asan valgrind fuzz deps FORCE
all: $(PROGRAMS)

# Rebuild when the compiler or any flag changes.
$(B)/flags: FORCE
	@mkdir -p $(B)
	@echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(VIRT_CFLAGS) $(ALL_LDFLAGS) $(WITH_CURL)' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(VIRT_CFLAGS) $(ALL_LDFLAGS) $(WITH_CURL)' > $@

$(B)/obj/%.o: %.c $(B)/flags
	@mkdir -p $(@D)
	$(call step,CC,$<)$(CC) $(ALL_CFLAGS) $(EXTRA_CFLAGS) -MMD -MP -c -o $@ $<
$(B)/obj/plugin/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS)
$(B)/obj/agent/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS) -Iplugin
$(B)/obj/agent/alert-%.o: EXTRA_CFLAGS = $(CURL_CFLAGS) -Iplugin
$(B)/obj/lib/osindex/program/%.o: EXTRA_CFLAGS = $(OSINFO_CFLAGS)
# assert_in_range is deprecated in cmocka 2; cmocka 1 has nothing else.
$(B)/obj/tests/unit/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS) -Iplugin -DVW_SRCDIR='"$(CURDIR)"' -Wno-deprecated-declarations
# Objects of tests stay, too: make would remove them, and say so in a line of 1,800 columns.
.PRECIOUS: $(B)/obj/%.o

# An archive is made anew when its list of members changes, too (a removed file).
define archive
$(1): $(2) $(B)/flags
	@rm -f $$@
	$$(call step,AR,$$@)ar rcs $$@ $(2)
endef
$(eval $(call archive,$(BASE),$(call objs,lib/base)))
$(eval $(call archive,$(ENGINE),$(call objs,lib)))
$(eval $(call archive,$(CONF),$(call objs,lib/conf)))
$(eval $(call archive,$(HISTORY),$(call objs,lib/history) $(call objs,lib/store)))
$(eval $(call archive,$(PROBE),$(call objs,lib/probe)))
$(eval $(call archive,$(OSINDEX),$(call objs,lib/osindex)))
$(eval $(call archive,$(MIGRATE),$(call objs,lib/migrate)))
$(eval $(call archive,$(VERIFY),$(call objs,lib/verify)))
$(eval $(call archive,$(ALERT),$(call objs,lib/alert) $(call objs,lib/store)))
$(eval $(call archive,$(VIRT),$(VIRT_OBJS)))

# Everything stands on lib/base: it is linked last.
link = $(call step,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(1) $(BASE)
version_script = -Wl,--version-script=
$(B)/virt-warden: $(CMD_OBJS) $(VIRT) $(ARCHIVES)
	$(call link,$(CMD_OBJS) $(VIRT) $(MIGRATE) $(VERIFY) $(HISTORY) $(ALERT) $(PROBE) $(OSINDEX) $(CONF) $(ENGINE) $(VIRT_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(UDEV_LIBS) -lm)
# The wrapper runs before every virsh. Where musl is there it is linked with that, statically: a
# glibc program asks the CPU some 50 questions at its start, 0.7 ms of CPU on a virtual machine, and it
# starts twice (as the prober, too). Position-independent, which musl-gcc knows no option for, so the
# start files are named. musl knows no _FORTIFY_SOURCE: arrays are guarded by the compiler.
MUSL := $(if $(SAN),,$(shell command -v musl-gcc 2>/dev/null))
MUSL_CRT := $(if $(MUSL),$(wildcard $(dir $(shell $(MUSL) -\#\#\# -static x.c 2>&1 | tr ' "' '\n\n' | grep '/crti\.o$$'))rcrt1.o))
MUSL_PIE = -fPIE -fsanitize=bounds,object-size -fsanitize-undefined-trap-on-error -idirafter /usr/include \
	-static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(LDHARDEN)
WRAPPER_SRCS = plugin/virsh.c $(wildcard lib/base/*.c lib/probe/*.c)
ifneq ($(MUSL_CRT),)
$(B)/virsh: $(WRAPPER_SRCS) $(wildcard lib/base/*.h lib/probe/*.h plugin/virsh*.h) $(B)/flags
	$(call step,CC,$@)$(MUSL) $(filter-out -fPIC -D_FORTIFY_SOURCE=% -U_FORTIFY_SOURCE $(XML_CFLAGS),$(ALL_CFLAGS)) $(MUSL_PIE) \
		-o $@ $(MUSL_CRT) $(dir $(MUSL_CRT))crti.o $(shell $(CC) -print-file-name=crtbeginS.o) $(WRAPPER_SRCS) \
		$(shell $(CC) -print-file-name=crtendS.o) $(dir $(MUSL_CRT))crtn.o
else
$(B)/virsh: $(B)/obj/plugin/virsh.o $(PROBE) $(BASE)
	$(call link,$< $(PROBE))
endif
$(B)/virsh-warden.so: $(PRELOAD_OBJS) $(VIRT) $(ARCHIVES) plugin/preload.map
	$(call link,-shared $(version_script)plugin/preload.map $(PRELOAD_OBJS) $(VIRT) $(HISTORY) $(ALERT) $(PROBE) $(OSINDEX) $(CONF) $(ENGINE) $(VIRT_LIBS) $(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS))
$(B)/hook: $(HOOK_OBJS) $(ENGINE) $(BASE)
	$(call link,$(HOOK_OBJS) $(ENGINE) -ldl)
$(B)/virt-warden-hook.so: $(STAGE_OBJS) $(ARCHIVES) hooks/hook.map
	$(call link,-shared $(version_script)hooks/hook.map $(STAGE_OBJS) $(HISTORY) $(PROBE) $(CONF) $(ENGINE) $(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS))
$(B)/virt-warden-osinfo: $(call objs,lib/osindex/program) $(OSINDEX) $(CONF) $(ENGINE) $(BASE)
	$(call link,$(call objs,lib/osindex/program) $(OSINDEX) $(CONF) $(ENGINE) $(OSINFO_LIBS) $(XML_LIBS) $(INIH_LIBS))
$(B)/virt-wardend: $(AGENT_OBJS) $(VIRT) $(ARCHIVES)
	$(call link,$(AGENT_OBJS) $(VIRT) $(VERIFY) $(HISTORY) $(ALERT) $(PROBE) $(OSINDEX) $(CONF) $(ENGINE) $(VIRT_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(UDEV_LIBS))
$(B)/virt-warden-alert: $(ALERT_OBJS) $(ARCHIVES)
	$(call link,$(ALERT_OBJS) $(ALERT) $(CONF) $(ENGINE) $(CURL_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(XML_LIBS))

# Unit tests: tests/unit/test-X.c is one program; test-cmd-*.c may use the command's objects too.
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test-*.c))
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(VIRT) $(ARCHIVES)
	@mkdir -p $(@D)
	$(call link,$< $(VIRT) $(MIGRATE) $(VERIFY) $(HISTORY) $(ALERT) $(PROBE) $(OSINDEX) $(CONF) $(ENGINE) $(CMOCKA_LIBS) $(VIRT_LIBS) $(XML_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(UDEV_LIBS))
unit: $(UNIT)

deps:
	./install.sh --deps=test
# Tests and benches look for what was built here.
export VW_BUILD = $(abspath $(B))
check: deps
	$(MAKE) all unit
	tests/run-tests
# What takes hours: all rows of tests that take a sample in `make check`, fuzzing, other releases.
LONG_FUZZ_SECONDS ?= 600
check-long: deps
	$(MAKE) all unit
	tests/run-tests --long
	$(MAKE) fuzz FUZZ_SECONDS=$(LONG_FUZZ_SECONDS)
	$(MAKE) fuzz-coverage
	$(MAKE) asan
	$(MAKE) valgrind
	$(MAKE) hosts
lint: all unit
	tests/lint/run-lint
# Only figures on stdout.
bench:
	@$(MAKE) $(if $(filter 1,$(V)),,-s) --no-print-directory all unit >&2
	@tests/bench/run-bench $(BENCH)
# The README's two commands on bare Debian releases: long, and some GB.
HOSTS ?= bookworm trixie
hosts:
	set -e; for suite in $(HOSTS); do tests/hosts/run-host $$suite; done
demo:
	./install.sh --deps=demo
	$(MAKE) all
	tests/lab/demo
clean:
	rm -rf $(B)

-include $(shell find $(B)/obj -name '*.d' 2>/dev/null)
-include tests/corpus/corpus.mk tests/fuzz/fuzz.mk tests/sanitize.mk install.mk
