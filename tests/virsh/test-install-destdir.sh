#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# install.sh into a DESTDIR: all files, an upgrade, an admin's own files, an uninstall that leaves nothing.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}

run_install() { # run_install NAME OPTION…: into $dir/NAME; output in $dir/out
	local name=$1
	shift
	DESTDIR=$dir/$name "$top/install.sh" --no-deps --no-build "$@" >"$dir/out" 2>&1 ||
		fail "install.sh $* failed: $(cat "$dir/out")"
}
said() { grep -q -- "$1" "$dir/out" || fail "install.sh did not say '$1': $(cat "$dir/out")"; }
tree() { # what is there, with a digest of each file
	(cd "$1" && find . \( -type f -printf '%m %p ' -exec sha256sum {} \; \) -o -printf '%m %p\n' | sort)
}

files() { # the files only
	(cd "$1" && find . -type f -printf '%m ' -exec sha256sum {} \; | sort)
}

# A plain installation has everything, with the right modes.
run_install plain
for file in usr/bin/virt-warden usr/local/bin/virsh usr/lib/virt-warden/virsh-warden.so \
	usr/lib/virt-warden/virt-warden-hook.so \
	usr/libexec/virt-warden/virt-warden-osinfo etc/libvirt/hooks/qemu.d/virt-warden; do
	[ "$(stat -c %a "$dir/plain/$file")" = 755 ] || fail "$file is not there, or not 0755"
done
cmp "$dir/plain/etc/virt-warden/warden.conf" "$top/docs/warden.conf" || fail "warden.conf"
[ "$(stat -c %a "$dir/plain/var/lib/virt-warden")" = 700 ] || fail "the state directory is not 0700"
for template in "$top"/xml-templates/*; do
	cmp "$template" "$dir/plain/usr/share/virt-warden/xml-templates/$(basename "$template")" || fail "$template"
done
[ ! -L "$dir/plain/etc/libvirt/hooks/qemu.d/virt-warden" ] || fail "the hook is a link: AppArmor would refuse it"
[ -z "$(find "$dir/plain" -name '.virt-warden.new')" ] || fail "temporary files are left"

# Again: nothing changes. A dry run: nothing changes, and it tells of every file.
tree "$dir/plain" >"$dir/before"
run_install plain
tree "$dir/plain" | cmp - "$dir/before" || fail "a second run changed something"
run_install plain --dry-run
tree "$dir/plain" | cmp - "$dir/before" || fail "--dry-run changed something"
run_install plain --dry-run --uninstall --purge
tree "$dir/plain" | cmp - "$dir/before" || fail "--dry-run --uninstall changed something"
run_install fresh --dry-run
[ ! -e "$dir/fresh" ] || fail "--dry-run made $dir/fresh"
while read -r file; do
	said " $dir/fresh/$file\$"
done < <(cd "$dir/plain" && find . -type f ! -path ./usr/share/virt-warden/warden.conf -printf '%P\n')

# Uninstall keeps config and history; --purge keeps nothing of ours.
mkdir -p "$dir/plain/var/lib/virt-warden/history"
run_install plain --uninstall
[ -z "$(find "$dir/plain" -type f ! -path '*/etc/virt-warden/*')" ] || fail "uninstall left: $(find "$dir/plain" -type f)"
[ -e "$dir/plain/etc/virt-warden/warden.conf" ] && [ -d "$dir/plain/var/lib/virt-warden/history" ] ||
	fail "uninstall removed config or history"
run_install plain
run_install plain --uninstall --purge
left=$(find "$dir/plain" ! -type d -o -name '*virt-warden*')
[ -z "$left" ] || fail "--purge left: $left"

# A config nobody edited follows an upgrade; an edited one stays, the new one beside it.
run_install conf
echo "# as an older version shipped it" >"$dir/conf/etc/virt-warden/warden.conf"
cp "$dir/conf/etc/virt-warden/warden.conf" "$dir/conf/usr/share/virt-warden/warden.conf"
run_install conf
cmp "$dir/conf/etc/virt-warden/warden.conf" "$top/docs/warden.conf" || fail "an unedited config did not follow"
echo "# edited" >>"$dir/conf/etc/virt-warden/warden.conf"
run_install conf
said "was edited and stays"
tail -n 1 "$dir/conf/etc/virt-warden/warden.conf" | grep -q "# edited" || fail "an edited config was overwritten"
cmp "$dir/conf/etc/virt-warden/warden.conf.new" "$top/docs/warden.conf" || fail "no warden.conf.new"
cp "$top/docs/warden.conf" "$dir/conf/etc/virt-warden/warden.conf"
run_install conf
[ ! -e "$dir/conf/etc/virt-warden/warden.conf.new" ] || fail "a stale warden.conf.new stays"

# A template that a newer version no longer has is removed.
echo stale >"$dir/conf/usr/share/virt-warden/xml-templates/stale.xml"
run_install conf
[ ! -e "$dir/conf/usr/share/virt-warden/xml-templates/stale.xml" ] || fail "a stale template stays"

# What is the admin's stays the admin's.
hooks=$dir/admin/etc/libvirt/hooks
mkdir -p "$hooks/qemu.d" "$dir/admin/usr/local/bin"
printf '#!/bin/sh\n# calls virt-warden, too\nexit 0\n' | tee "$hooks/qemu" "$hooks/qemu.d/10-mine" >"$dir/admin/usr/local/bin/virsh"
files "$dir/admin" >"$dir/before"
run_install admin
said "usr/local/bin/virsh is not ours and stays"
[ -x "$hooks/qemu.d/virt-warden" ] || fail "our hook is missing beside the admin's"
run_install admin --uninstall --purge
files "$dir/admin" | cmp - "$dir/before" || fail "the admin's files: $(files "$dir/admin")"

# libvirt < 6.5 runs hooks/qemu only: ours is it if there is none, else a line says what to add.
old_libvirt() { # old_libvirt NAME TARGET
	make -s -C "$top" --no-print-directory B="$VW_BUILD" DESTDIR="$dir/$1" HOOK_D=no "$2" >"$dir/out" 2>&1 ||
		fail "make $2 for an old libvirt: $(cat "$dir/out")"
}
old_libvirt old install-files
cmp "$dir/old/etc/libvirt/hooks/qemu" "$VW_BUILD/hook" || fail "old libvirt: hooks/qemu is not our hook"
old_libvirt old install-files
cmp "$dir/old/etc/libvirt/hooks/qemu" "$VW_BUILD/hook" || fail "old libvirt: upgrade"
[ ! -e "$dir/old/etc/libvirt/hooks/virt-warden" ] || fail "old libvirt: took its own hook for the admin's"
run_install old
[ ! -e "$dir/old/etc/libvirt/hooks/qemu" ] || fail "libvirt became new: our hook would run twice"
mkdir -p "$dir/old2/etc/libvirt/hooks"
echo '#!/bin/sh' >"$dir/old2/etc/libvirt/hooks/qemu"
old_libvirt old2 install-files
said 'add this line to it: .*hooks/virt-warden "\$@"'
[ "$(cat "$dir/old2/etc/libvirt/hooks/qemu")" = '#!/bin/sh' ] || fail "old libvirt: the admin's hook was changed"
old_libvirt old2 uninstall
[ "$(ls "$dir/old2/etc/libvirt/hooks")" = qemu ] || fail "old libvirt: uninstall"

# Another prefix.
run_install opt --prefix=/opt/vw
[ -x "$dir/opt/opt/vw/bin/virsh" ] && [ ! -e "$dir/opt/usr" ] || fail "--prefix=/opt/vw"
run_install opt --prefix=/opt/vw --uninstall --purge
[ -z "$(find "$dir/opt" ! -type d)" ] || fail "--prefix: uninstall left files"

# Wrong usage is 2, and does nothing.
for wrong in --nonsense --purge --deps=all --prefix=relative; do
	rc=0
	DESTDIR=$dir/wrong "$top/install.sh" "$wrong" >"$dir/out" 2>&1 || rc=$?
	[ "$rc" -eq 2 ] && [ ! -e "$dir/wrong" ] || fail "install.sh $wrong: exit $rc"
done
