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

ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. \
	-DVW_VERSION='"$(VERSION)"' -DVW_PREFIX='"$(prefix)"' -DVW_SYSCONFDIR='"$(sysconfdir)"' \
	-DVW_LOCALSTATEDIR='"$(localstatedir)"' -DVW_LIBDIR='"$(libdir)"' \
	$(WARN) $(WERROR) $(OPT) $(HARDEN) $(SAN) $(XML_CFLAGS) $(CFLAGS)
ALL_LDFLAGS = $(LDHARDEN) -pthread $(SAN) $(LDFLAGS)

# Each step is one short line ("CC lib/engine/plan.c"); V=1 shows the whole command, make -s nothing.
V ?= 0
quiet_make := $(findstring s,$(firstword -$(MAKEFLAGS)))
step = $(if $(filter 1,$(V)),,@$(if $(quiet_make),,echo '$(1) $(2)' && ))

# Objects of a folder.
objs = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(1)/*.c))

# A room is a folder, and an archive of that name: $(call rooms,lib/xml lib/base).
ROOMS = lib/base lib/json lib/xml lib/engine lib/conf lib/history lib/diskprobe lib/osindex lib/migrate lib/health lib/alert lib/daemon \
	virt virt/cache virt/hostfacts virt/verify plugin/out
rooms = $(patsubst %,$(B)/%.a,$(1))
ARCHIVES = $(call rooms,$(ROOMS))

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
$(B)/obj/virt/%.o $(B)/obj/plugin/%.o $(B)/obj/agent/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS)
$(B)/obj/messenger/%.o: EXTRA_CFLAGS = $(CURL_CFLAGS)
$(B)/obj/osinfo/%.o: EXTRA_CFLAGS = $(OSINFO_CFLAGS)
# assert_in_range is deprecated in cmocka 2; cmocka 1 has nothing else.
$(B)/obj/tests/unit/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS) -DVW_SRCDIR='"$(CURDIR)"' -Wno-deprecated-declarations
# Objects of tests stay, too: make would remove them, and say so in a line of 1,800 columns.
.PRECIOUS: $(B)/obj/%.o

# An archive is made anew when its list of members changes, too (a removed file).
define archive
$(B)/$(1).a: $(call objs,$(1)) $(B)/flags
	@rm -f $$@
	@mkdir -p $$(@D)
	$$(call step,AR,$$@)ar rcs $$@ $(call objs,$(1))
endef
$(foreach room,$(ROOMS),$(eval $(call archive,$(room))))

# link OBJECTS,ROOMS,LIBRARIES: everything stands on lib/base.
link = $(call step,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $(1) -Wl,--start-group $(call rooms,$(2) lib/base) -Wl,--end-group $(3)
DEFINE_ROOMS = virt virt/cache lib/history lib/alert lib/diskprobe lib/osindex lib/conf lib/engine lib/xml
DEFINE_LIBS = $(VIRT_LIBS) $(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS)
CMD_ROOMS = lib/json plugin/out virt/hostfacts virt/verify lib/migrate lib/health $(DEFINE_ROOMS)
version_script = -Wl,--version-script=
$(B)/virt-warden: $(call objs,plugin/cmd) $(ARCHIVES)
	$(call link,$(call objs,plugin/cmd),$(CMD_ROOMS),$(DEFINE_LIBS) $(JANSSON_LIBS) -lm)
# The wrapper runs before every virsh. Where musl is there it is linked with that, statically: a
# glibc program asks the CPU some 50 questions at its start, 0.7 ms of CPU on a virtual machine, and it
# starts twice (as the prober, too). Position-independent, which musl-gcc knows no option for, so the
# start files are named. musl knows no _FORTIFY_SOURCE: arrays are guarded by the compiler.
MUSL := $(if $(SAN),,$(shell command -v musl-gcc 2>/dev/null))
MUSL_CRT := $(if $(MUSL),$(wildcard $(dir $(shell $(MUSL) -\#\#\# -static x.c 2>&1 | tr ' "' '\n\n' | grep '/crti\.o$$'))rcrt1.o))
MUSL_PIE = -fPIE -fsanitize=bounds,object-size -fsanitize-undefined-trap-on-error -idirafter /usr/include \
	-static -nostartfiles -Wl,-pie,--no-dynamic-linker,-z,text $(LDHARDEN)
WRAPPER_SRCS = $(foreach room,plugin/wrapper lib/diskprobe lib/base,$(wildcard $(room)/*.c))
ifneq ($(MUSL_CRT),)
$(B)/virsh: $(WRAPPER_SRCS) $(wildcard $(WRAPPER_SRCS:.c=.h)) $(B)/flags
	$(call step,CC,$@)$(MUSL) $(filter-out -fPIC -D_FORTIFY_SOURCE=% -U_FORTIFY_SOURCE $(XML_CFLAGS),$(ALL_CFLAGS)) $(MUSL_PIE) \
		-o $@ $(MUSL_CRT) $(dir $(MUSL_CRT))crti.o $(shell $(CC) -print-file-name=crtbeginS.o) $(WRAPPER_SRCS) \
		$(shell $(CC) -print-file-name=crtendS.o) $(dir $(MUSL_CRT))crtn.o
else
$(B)/virsh: $(call objs,plugin/wrapper) $(ARCHIVES)
	$(call link,$(call objs,plugin/wrapper),lib/diskprobe)
endif
$(B)/virsh-warden.so: $(call objs,plugin/preload) $(ARCHIVES) plugin/preload/preload.map
	$(call link,-shared $(version_script)plugin/preload/preload.map $(call objs,plugin/preload),$(DEFINE_ROOMS),$(DEFINE_LIBS))
# libvirtd runs the hook; what it needs libraries for lies in a second stage, which it loads if need be.
HOOK_OBJS = $(B)/obj/hooks/main.o $(B)/obj/hooks/log.o
STAGE_OBJS = $(filter-out $(B)/obj/hooks/main.o,$(call objs,hooks))
$(B)/hook: $(HOOK_OBJS) $(ARCHIVES)
	$(call link,$(HOOK_OBJS),lib/engine lib/xml,-ldl)
$(B)/virt-warden-hook.so: $(STAGE_OBJS) $(ARCHIVES) hooks/hook.map
	$(call link,-shared $(version_script)hooks/hook.map $(STAGE_OBJS),lib/history lib/diskprobe lib/conf lib/engine lib/xml,$(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS))
$(B)/virt-warden-osinfo: $(call objs,osinfo) $(ARCHIVES)
	$(call link,$(call objs,osinfo),lib/osindex lib/conf lib/engine lib/xml,$(OSINFO_LIBS) $(XML_LIBS) $(INIH_LIBS))
$(B)/virt-wardend: $(call objs,agent) $(ARCHIVES)
	$(call link,$(call objs,agent),lib/json lib/daemon lib/health $(DEFINE_ROOMS),$(DEFINE_LIBS) $(JANSSON_LIBS))
$(B)/virt-warden-alert: $(call objs,messenger) $(ARCHIVES)
	$(call link,$(call objs,messenger),lib/daemon plugin/out lib/json lib/alert lib/conf lib/engine lib/xml,$(CURL_LIBS) $(JANSSON_LIBS) $(INIH_LIBS) $(XML_LIBS))

# Unit tests: tests/unit/test-X.c is one program.
UNIT = $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test-*.c))
$(B)/unit/%: $(B)/obj/tests/unit/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call link,$<,$(CMD_ROOMS),$(CMOCKA_LIBS) $(DEFINE_LIBS) $(JANSSON_LIBS))
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
