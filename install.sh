#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Installs virt-warden, upgrades it (run it again), or removes it; shows it; tests it. No systemd needed.
set -euo pipefail

usage() {
	cat <<'END'
usage: ./install.sh [OPTION]…
       ./install.sh --demo | --check

Installs what the build needs, builds, installs, builds the OS index, lets libvirtd see
the hook, and checks the domains of this host. Run it again to upgrade.

  --demo              install what is missing, build, and show the main job on a guest
  --check             install what is missing, build, and run every test; both leave
                      the libvirtd, the guests and the configuration of this host alone

  --dry-run           print every action, change nothing
  --uninstall         remove what was installed; config and history stay
  --purge             with --uninstall: remove config and history, too
  --prefix=DIR        install below DIR (default /usr; the virsh front-end then goes to
                      /usr/local/bin, before the real virsh on PATH)
  --deps=GROUP        only install missing packages: build, demo or test
  --no-deps           install no packages
  --no-build          install what is built already
  --help              this text

Environment: DESTDIR (stage the files there: nothing of this host is touched),
VW_BUILD (build directory).
Exit: 0 = done, 1 = a step failed, 2 = wrong usage, 3 = no known package manager.
END
}

# Packages: group, Debian/Ubuntu, Fedora/RHEL, openSUSE. "a|b" = the first that is there,
# "-" = none needed. A group contains those above it.
packages() {
	cat <<'END'
build gcc                          gcc                          gcc
build make                         make                         make
build pkg-config|pkgconf           pkgconf-pkg-config           pkg-config
build libxml2-dev                  pkgconfig(libxml-2.0)        pkgconfig(libxml-2.0)
build libvirt-dev                  pkgconfig(libvirt)           pkgconfig(libvirt)
build libosinfo-1.0-dev            pkgconfig(libosinfo-1.0)     pkgconfig(libosinfo-1.0)
build osinfo-db                    osinfo-db                    osinfo-db
build libjansson-dev               pkgconfig(jansson)           pkgconfig(jansson)
build libinih-dev                  pkgconfig(inih)              pkgconfig(inih)
build libcurl4-openssl-dev|libcurl4-gnutls-dev pkgconfig(libcurl) pkgconfig(libcurl)
build libudev-dev                  pkgconfig(libudev)           pkgconfig(libudev)
build libvirt-clients              libvirt-client               libvirt-client
build musl-tools                   -                            -
demo  libvirt-daemon-system        libvirt-daemon               libvirt-daemon
demo  libvirt-daemon-driver-qemu   libvirt-daemon-driver-qemu   libvirt-daemon-driver-qemu
demo  qemu-system-x86              qemu-system-x86-core         qemu-x86
demo  qemu-utils                   qemu-img                     qemu-img|qemu-tools
demo  seabios                      seabios-bin                  qemu-seabios
demo  ipxe-qemu                    ipxe-roms-qemu               qemu-ipxe
demo  tini                         tini                         tini
demo  iproute2                     iproute                      iproute2
demo  extlinux                     syslinux-extlinux            syslinux
demo  mtools                       mtools                       mtools
demo  e2fsprogs                    e2fsprogs                    e2fsprogs
demo  busybox-static               busybox                      busybox-static
demo  kmod                         kmod                         kmod
demo  cpio                         cpio                         cpio
demo  xz-utils                     xz                           xz
demo  procps                       procps-ng                    procps
demo  dpkg-dev                     dpkg-dev                     dpkg
test  libcmocka-dev                pkgconfig(cmocka)            pkgconfig(cmocka)
test  libseccomp-dev               pkgconfig(libseccomp)        pkgconfig(libseccomp)
test  clang                        clang                        clang
test  libclang-rt-dev|libclang-common-14-dev compiler-rt        -
test  llvm                         llvm                         llvm
test  valgrind                     valgrind                     valgrind
test  shellcheck                   ShellCheck                   ShellCheck
test  clang-format                 clang-tools-extra            clang
test  clang-tidy                   clang-tools-extra            clang-tools
test  cppcheck                     cppcheck                     cppcheck
test  universal-ctags              ctags                        ctags
test  virtinst                     virt-install                 virt-install
test  python3-libvirt              python3-libvirt              python3-libvirt-python
test  fio                          fio                          fio
test  iperf3                       iperf3                       iperf
test  genisoimage                  genisoimage                  mkisofs
test  xorriso                      xorriso                      xorriso
test  socat                        socat                        socat
test  swtpm                        swtpm                        swtpm
test  swtpm-tools                  swtpm-tools                  -
test  ovmf                         edk2-ovmf                    qemu-ovmf-x86_64
test  fuse3                        fuse3                        fuse3
test  bindfs                       bindfs                       bindfs
test  libfuse3-dev                 pkgconfig(fuse3)             pkgconfig(fuse3)
test  jq                           jq                           jq
test  strace                       strace                       strace
test  qemu-guest-agent             qemu-guest-agent             qemu-guest-agent
test  nbdkit                       nbdkit                       nbdkit
test  tmux                         tmux                         tmux
test  umockdev                     umockdev                     umockdev
test  libumockdev-dev              pkgconfig(umockdev-1.0)      pkgconfig(umockdev-1.0)
test  libxml2-utils                libxml2                      libxml2-tools
test  time                         time                         time
test  chromium                     chromium                     chromium
test  prometheus-alertmanager      -                            golang-github-prometheus-alertmanager
test  curl                         curl                         curl
test  openssl                      openssl                      openssl
test  openssh-server               openssh-server               openssh-server
test  openssh-client               openssh-clients              openssh-clients
test  msmtp-mta                    msmtp                        msmtp-mta
test  python3-aiosmtpd             python3-aiosmtpd             python3-aiosmtpd
END
}

top=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
build=$(realpath -m "${VW_BUILD:-$top/build}")
DESTDIR=${DESTDIR:-}
prefix=/usr
sysconfdir=${sysconfdir:-/etc}
localstatedir=${localstatedir:-/var}
dry_run=no action=install purge='' deps=build do_build=yes

say() { printf '%s\n' "$*"; }
die() { # die STATUS TEXT…
	local status=$1
	shift
	printf 'install.sh: %s\n' "$*" >&2
	exit "$status"
}
act() { # act CMD…: says what is done, and does it unless --dry-run
	say "+ $*"
	[ "$dry_run" = yes ] || "$@"
}

# --- packages -----------------------------------------------------------------------

family() { # prints deb, dnf or zypper
	local ID='' ID_LIKE=''
	[ ! -r /etc/os-release ] || . /etc/os-release
	case " $ID $ID_LIKE " in
	*" debian "* | *" ubuntu "*) echo deb ;;
	*" fedora "* | *" rhel "* | *" centos "*) echo dnf ;;
	*suse*) echo zypper ;;
	*) die 3 "unknown distribution '${ID:-?}': install what the table in install.sh names by hand," \
		"then run: install.sh --no-deps" ;;
	esac
}

is_installed() { # is_installed FAMILY PACKAGE
	case $1 in
	deb) [ "$(dpkg-query -W -f '${db:Status-Status}' "$2" 2>/dev/null)" = installed ] ;;
	*) rpm -q --whatprovides "$2" >/dev/null 2>&1 ;;
	esac
}

# Of "a|b": nothing if one is installed; else the first that the package manager knows.
missing_of() { # missing_of FAMILY ALTERNATIVES
	local alternative
	for alternative in ${2//|/ }; do
		! is_installed "$1" "$alternative" || return 0
	done
	if [ "$1" = deb ] && [[ $2 == *"|"* ]]; then
		for alternative in ${2//|/ }; do
			[ -z "$(apt-cache madison "$alternative" 2>/dev/null)" ] || break
		done
		echo "$alternative"
	else
		echo "${2%%|*}"
	fi
}

missing_packages() { # missing_packages FAMILY GROUP
	local group deb fedora suse groups
	case $2 in
	build) groups=" build " ;;
	demo) groups=" build demo " ;;
	test) groups=" build demo test " ;;
	esac
	while read -r group deb fedora suse; do
		[[ $groups == *" $group "* ]] || continue
		case $1 in
		deb) missing_of "$1" "$deb" ;;
		dnf) [ "$fedora" = - ] || missing_of "$1" "$fedora" ;;
		zypper) [ "$suse" = - ] || missing_of "$1" "$suse" ;;
		esac
	done < <(packages) | sort -u
}

# Debian's packages start their daemons when they are installed. Without systemd nobody
# would stop them: a policy that says no stands there until this script ends.
keep_daemons_down() {
	local policy=/usr/sbin/policy-rc.d
	[ ! -d /run/systemd/system ] && [ ! -e "$policy" ] || return 0
	say "+ $policy says no to starting daemons meanwhile"
	[ "$dry_run" = no ] || return 0
	trap 'rm -f /usr/sbin/policy-rc.d' EXIT
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 0755 "$policy"
}

install_packages() { # install_packages GROUP
	local kind missing
	kind=$(family)
	mapfile -t missing < <(missing_packages "$kind" "$1")
	[ ${#missing[@]} -gt 0 ] || return 0
	if [ "$dry_run" = no ] && [ "$(id -u)" -ne 0 ]; then
		die 1 "not root, and these packages are missing: ${missing[*]}"
	fi
	case $kind in
	deb)
		act apt-get update -q
		mapfile -t missing < <(missing_packages "$kind" "$1")
		keep_daemons_down
		act env DEBIAN_FRONTEND=noninteractive apt-get install -q -y \
			--no-install-recommends "${missing[@]}"
		;;
	dnf) act dnf install -y --setopt=install_weak_deps=False "${missing[@]}" ;;
	zypper) act zypper --non-interactive install --no-recommends "${missing[@]}" ;;
	esac
}

# --- installation -------------------------------------------------------------------

run_make() { # run_make TARGET [VAR=VALUE]…
	act make -C "$top" --no-print-directory -j "$(nproc)" B="$build" prefix="$prefix" \
		sysconfdir="$sysconfdir" localstatedir="$localstatedir" DESTDIR="$DESTDIR" "$@"
}

list_files() { # what a dry run shows of the files
	command -v make >/dev/null || {
		say "(make is not there yet: the files can't be listed)"
		return 0
	}
	make -s -C "$top" --no-print-directory B="$build" prefix="$prefix" \
		sysconfdir="$sysconfdir" localstatedir="$localstatedir" DESTDIR="$DESTDIR" install-list |
		while read -r mode source destination; do
			say "+ install -m $mode $source $DESTDIR$destination"
		done
}

# Is there any qemu hook? libvirtd looks for hooks at its start and on SIGHUP only.
has_hook() {
	local dir=$sysconfdir/libvirt/hooks
	[ -e "$dir/qemu" ] || [ -n "$(ls -A "$dir/qemu.d" 2>/dev/null)" ]
}

# Tells doctor that libvirtd was reloaded after the hook had come (root's run directory).
mark_reloaded() {
	act install -d -m 0755 /run/virt-warden
	act touch /run/virt-warden/hook-reloaded
}

reload_libvirtd() {
	local unit pid_file pid
	for unit in libvirtd virtqemud; do
		if [ -d /run/systemd/system ] && systemctl -q is-active "$unit" 2>/dev/null; then
			act systemctl reload "$unit"
			mark_reloaded
			return
		fi
		for pid_file in "/run/$unit.pid" "/run/libvirt/$unit.pid"; do
			pid=$(cat "$pid_file" 2>/dev/null) || continue
			[[ $pid =~ ^[0-9]+$ ]] && [ "$(cat "/proc/$pid/comm" 2>/dev/null)" = "$unit" ] || continue
			act kill -HUP "$pid"
			mark_reloaded
			return
		done
	done
	say "no libvirtd runs: it will see the hook when it starts"
}

# plain_virsh ARG…: the real virsh on the system's libvirtd, bounded in time
plain_virsh() {
	VIRT_WARDEN=off timeout 20 virsh -q -c qemu:///system "$@" 2>/dev/null
}

# Domains that are here before virt-warden are audited, not changed: their UUIDs are
# noted once, at the first installation. Without a libvirtd that answers its own files tell.
note_existing_domains() {
	local file=$localstatedir/lib/virt-warden/existing-domains uuids
	[ ! -e "$file" ] || return 0
	say "+ write the UUIDs of the domains that exist to $file"
	[ "$dry_run" = no ] || return 0
	if ! uuids=$(plain_virsh list --all --uuid); then
		uuids=$(sed -n 's/.*<uuid>\([0-9a-fA-F-]*\)<\/uuid>.*/\1/p' \
			"$sysconfdir"/libvirt/qemu/*.xml 2>/dev/null || true)
	fi
	printf '%s\n' "$uuids" | grep -E '^[0-9a-fA-F-]{36}$' | sort -u >"$file.new" || true
	mv -f "$file.new" "$file"
}

build_os_index() {
	local index=$localstatedir/cache/virt-warden/os.index
	if ! act "$prefix/libexec/virt-warden/virt-warden-osinfo" build --output "$index"; then
		say "install.sh: the OS index could not be built; it is tried again when it is needed"
	fi
}

check_all() {
	if ! plain_virsh uri >/dev/null; then
		say "no libvirtd answers on qemu:///system: later, run: virt-warden check --all"
		return 0
	fi
	act "$prefix/bin/virt-warden" check --all -c qemu:///system ||
		say "(findings above are a report: nothing was changed; virt-warden fix DOMAIN --diff shows a fix)"
}

# The agent is installed, but started only by the admin's word; a running one is renewed.
agent_service() { # agent_service install|uninstall
	[ -d /run/systemd/system ] || return 0
	if [ "$1" = uninstall ]; then
		! systemctl -q is-active virt-wardend 2>/dev/null || act systemctl disable --now virt-wardend
		! systemctl -q is-active virt-warden-alert.path 2>/dev/null ||
			act systemctl disable --now virt-warden-alert.path virt-warden-alert.service
		return 0
	fi
	act systemctl daemon-reload
	act systemctl try-restart virt-wardend
}

# The front-end works only for who finds it first on PATH; doctor says the same of a user's own.
say_wrapper() {
	local found dir=$prefix/bin
	[ "$prefix" != /usr ] || dir=/usr/local/bin
	hash -r
	found=$(type -P virsh) || found=
	if [ -n "$found" ] && cmp -s "$found" "$build/virsh"; then
		say "virsh is now: $found"
		return 0
	fi
	say "install.sh: FAIL: the first virsh on PATH is ${found:-not there}, not our wrapper: its define is not fixed" >&2
	say "  remedy: put $dir first in PATH (and in sudo's secure_path); virt-warden doctor tells whether it is" >&2
}

do_install() {
	local had_hook=yes
	has_hook || had_hook=no
	[ "$deps" = none ] || install_packages "$deps"
	[ "$do_build" = no ] || run_make all
	[ "$dry_run" = no ] || list_files
	run_make install-files
	if [ -n "$DESTDIR" ]; then
		say "staged in $DESTDIR; on the target host the OS index is built when it is first needed"
		return 0
	fi
	note_existing_domains
	build_os_index
	! command -v restorecon >/dev/null || act restorecon -R "$sysconfdir/libvirt/hooks" "$prefix/bin" || true
	[ "$had_hook" = yes ] || reload_libvirtd
	agent_service install
	check_all
	if [ "$dry_run" = yes ]; then
		say "dry run: nothing was changed"
		return 0
	fi
	say "virt-warden is installed."
	say "for clients other than virsh start the agent: systemctl enable --now virt-wardend (or: virt-wardend)"
	say_wrapper
}

do_deps() {
	install_packages "$deps"
}

# What needs no installation. make comes with the packages, so they come first; warnings are errors
# with WERROR=-Werror in the environment.
try_it() { # try_it GROUP TARGET
	[ -e /proc/self/mounts ] || die 1 "/proc is not mounted: mount -t proc proc /proc"
	install_packages "$1"
	[ "$dry_run" = yes ] || cd "$top"
	act make -j "$(nproc)" B="$build" "$2"
}
do_demo() { try_it demo demo; }
do_check() { try_it test check; }

do_uninstall() {
	[ "$dry_run" = no ] || list_files | sed 's/^+ install.* /+ rm -f /'
	[ -n "$DESTDIR" ] || agent_service uninstall
	run_make uninstall ${purge:+PURGE=1}
	[ -n "$purge" ] || say "config and history stay in $sysconfdir/virt-warden and $localstatedir/lib/virt-warden"
}

for argument in "$@"; do
	case $argument in
	--dry-run) dry_run=yes ;;
	--demo | --check | --uninstall) action=${argument#--} ;;
	--purge) purge=yes ;;
	--prefix=/*)
		prefix=${argument#*=}
		prefix=${prefix%/}
		;;
	--deps=build | --deps=demo | --deps=test)
		deps=${argument#*=}
		action=deps
		;;
	--no-deps) deps=none ;;
	--no-build) do_build=no ;;
	--help)
		usage
		exit 0
		;;
	*)
		usage >&2
		die 2 "don't know '$argument'"
		;;
	esac
done
[ -z "$purge" ] || [ "$action" = uninstall ] || die 2 "--purge goes with --uninstall"

case $action in
install | uninstall)
	[ "$dry_run" = yes ] || [ -n "$DESTDIR" ] || [ "$(id -u)" -eq 0 ] ||
		die 1 "must be root (or set DESTDIR, or use --dry-run)"
	;;
esac
"do_$action"
