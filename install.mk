# SPDX-License-Identifier: LGPL-2.1-or-later
# Targets install and uninstall (with DESTDIR and prefix); install.sh calls them.
#
# install       builds, then copies
# install-files copies what is built
# install-list  prints "mode source destination" of every file
# uninstall     removes what install put there; PURGE=1: config, history and state too
bindir = $(prefix)/bin
datadir = $(prefix)/share/virt-warden
mandir = $(prefix)/share/man
libexecdir = $(prefix)/libexec/virt-warden
moduledir = $(libdir)/virt-warden
confdir = $(sysconfdir)/virt-warden
statedir = $(localstatedir)/lib/virt-warden
cachedir = $(localstatedir)/cache/virt-warden
hooksdir = $(sysconfdir)/libvirt/hooks
# The wrapper must come before the real virsh on PATH and never replace it.
wrapperdir = $(if $(filter /usr,$(prefix)),/usr/local/bin,$(bindir))

# libvirt >= 6.5 runs every hooks/qemu.d/* beside the admin's hooks/qemu; an older one knows
# hooks/qemu only: ours goes there if the admin has none, else beside it as hooks/virt-warden.
HOOK_D ?= $(shell pkg-config --atleast-version=6.5.0 libvirt && echo yes || echo no)
# A file is ours if it is a program of this project: an ELF file that names virt-warden.
is_ours = head -c 4 $(1) 2>/dev/null | grep -q ELF && grep -aq virt-warden $(1)
hook_alone = $(shell f='$(DESTDIR)$(hooksdir)/qemu'; \
	if [ ! -e "$$f" ] || { $(call is_ours,"$$f"); }; then echo qemu; else echo virt-warden; fi)
hook_path = $(hooksdir)/$(if $(filter yes,$(HOOK_D)),qemu.d/virt-warden,$(hook_alone))

# What an installation consists of: mode:source:destination.
man = $(foreach n,$(1),$(foreach f,$(wildcard docs/*.$(n)),0644:$(f):$(mandir)/man$(n)/$(notdir $(f))))
TEMPLATE_FILES = $(foreach f,$(wildcard xml-templates/*),0644:$(f):$(datadir)/$(f))
UNITS = virt-wardend.service virt-warden-alert.service virt-warden-alert.path
INSTALL_FILES = \
	0755:$(B)/virt-warden:$(bindir)/virt-warden \
	0755:$(B)/virsh:$(wrapperdir)/virsh \
	0755:$(B)/virsh-warden.so:$(moduledir)/virsh-warden.so \
	0755:$(B)/virt-warden-osinfo:$(libexecdir)/virt-warden-osinfo \
	0755:$(B)/virt-warden-hook.so:$(moduledir)/virt-warden-hook.so \
	0755:$(B)/hook:$(hook_path) \
	0755:$(B)/virt-wardend:$(prefix)/sbin/virt-wardend \
	0755:$(B)/virt-warden-alert:$(libexecdir)/virt-warden-alert \
	$(foreach u,$(UNITS),0644:$(B)/$(u):$(prefix)/lib/systemd/system/$(u)) \
	$(TEMPLATE_FILES) \
	$(call man,1 5 7 8)

all: $(addprefix $(B)/,$(UNITS))
$(addprefix $(B)/,$(UNITS)): $(B)/%: agent/% $(B)/flags
	$(call step,GEN,$@)sed 's,@sbindir@,$(prefix)/sbin,; s,@libexecdir@,$(libexecdir),; s,@statedir@,$(statedir),' $< > $@

.PHONY: install-files install-list install-conf uninstall-files uninstall-purge
install: all
	@$(MAKE) --no-print-directory install-files

install-list:
	@for e in $(INSTALL_FILES); do echo "$$e" | tr : ' '; done
	@echo "0644 docs/warden.conf $(confdir)/warden.conf"

# Each file is written beside its directory and moved into place: a virsh that runs
# meanwhile sees the old one or the new one, and libvirtd no half hook.
install-files: install-conf
	@set -e; for e in $(INSTALL_FILES); do \
		mode=$${e%%:*}; e=$${e#*:}; src=$${e%%:*}; dst=$(DESTDIR)$${e#*:}; dir=$${dst%/*}; \
		[ -f "$$src" ] || { echo "install: $$src is not built; run make first" >&2; exit 1; }; \
		if [ "$$dst" = '$(DESTDIR)$(wrapperdir)/virsh' ] && [ -e "$$dst" ] && \
			! { $(call is_ours,"$$dst"); }; then \
			echo "install: $$dst is not ours and stays: virsh is not wrapped there" >&2; continue; \
		fi; \
		install -d "$$dir"; install -m "$$mode" "$$src" "$${dir%/*}/.virt-warden.new"; \
		mv -f "$${dir%/*}/.virt-warden.new" "$$dst"; \
	done
	@for f in $(DESTDIR)$(datadir)/xml-templates/*; do \
		[ -e "xml-templates/$${f##*/}" ] || rm -f "$$f"; \
	done
	@install -d $(DESTDIR)$(confdir)/templates.d $(DESTDIR)$(confdir)/alert.d $(DESTDIR)$(confdir)/health.d
	@install -d -m 0700 $(DESTDIR)$(statedir)
	@install -d $(DESTDIR)$(cachedir)
ifneq ($(HOOK_D),yes)
	@[ '$(notdir $(hook_path))' = qemu ] || \
		echo "install: libvirt here runs one qemu hook only, and $(hooksdir)/qemu is yours;" \
		"add this line to it: [ ! -x $(hooksdir)/virt-warden ] || $(hooksdir)/virt-warden \"\$$@\" || exit" >&2
else
	@f=$(DESTDIR)$(hooksdir)/qemu; ! { $(call is_ours,"$$f"); } || rm -f "$$f"
endif

# The config is replaced only if it still is what an earlier version shipped (kept in
# $(datadir)); else the new one goes beside it.
install-conf:
	@set -e; new=docs/warden.conf; conf=$(DESTDIR)$(confdir)/warden.conf; \
	shipped=$(DESTDIR)$(datadir)/warden.conf; \
	install -d "$${conf%/*}" "$${shipped%/*}"; \
	if [ ! -e "$$conf" ] || cmp -s "$$conf" "$$new" || cmp -s "$$conf" "$$shipped"; then \
		install -m 0644 "$$new" "$$conf"; rm -f "$$conf.new"; \
	else \
		install -m 0644 "$$new" "$$conf.new"; \
		echo "install: $$conf was edited and stays; the new one is $$conf.new" >&2; \
	fi; \
	install -m 0644 "$$new" "$$shipped"

uninstall: uninstall-files $(if $(PURGE),uninstall-purge)

uninstall-files:
	@for e in $(filter-out $(TEMPLATE_FILES),$(INSTALL_FILES)); do \
		dst=$(DESTDIR)$${e##*:}; \
		case $$dst in \
		*/virsh | */hooks/qemu) { $(call is_ours,"$$dst"); } || continue ;; \
		esac; \
		rm -f "$$dst"; \
	done
	@rm -f $(DESTDIR)$(hooksdir)/virt-warden
	@rm -rf $(DESTDIR)$(datadir) $(DESTDIR)$(libexecdir) $(DESTDIR)$(moduledir) $(DESTDIR)$(cachedir)
	@rmdir $(DESTDIR)$(hooksdir)/qemu.d 2>/dev/null || true

uninstall-purge:
	@rm -rf $(DESTDIR)$(confdir) $(DESTDIR)$(statedir) $(DESTDIR)/run/virt-warden
