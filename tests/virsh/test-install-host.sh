#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# install.sh on a host that runs a libvirtd (in the lab, /usr being an overlay): the domains that
# exist are noted, libvirtd sees the hook, plain `virsh define` is ours; upgrade; uninstall.
# timeout: 300
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
dir=$(mktemp -d)
export VW_LAB=$dir/lab
trap '"$top/tests/lab/lab" down; rm -rf "$dir"' EXIT

fail() {
	echo "FAILED: $*"
	exit 1
}
# on CMD…: on the host, with nothing in the environment that would point to the checkout
on() {
	"$top/tests/lab/lab" exec alpha env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
		HOME=/root VW_BUILD="$VW_BUILD" "$@"
}
run_install() {
	on "$top/install.sh" --no-deps --no-build "$@" >"$dir/out" 2>&1 || fail "install.sh $*: $(cat "$dir/out")"
}
said() { grep -q -- "$1" "$dir/out" || fail "install.sh did not say '$1': $(cat "$dir/out")"; }
domain() { # domain NAME UUID: generic XML with a cache that the policy does not allow
	cat <<-END
		<domain type='qemu'>
		  <name>$1</name>
		  <uuid>$2</uuid>
		  <memory unit='MiB'>64</memory>
		  <os><type arch='x86_64' machine='pc'>hvm</type></os>
		  <devices>
		    <disk type='file' device='disk'>
		      <driver name='qemu' type='raw' cache='writeback'/>
		      <source file='$dir/disk.img'/>
		      <target dev='hda' bus='ide'/>
		    </disk>
		  </devices>
		</domain>
	END
}
old1=11111111-2222-4333-8444-555555555555
old2=aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee
new=99999999-8888-4777-8666-555555555555

"$top/tests/lab/lab" up --hosts alpha --owner $$ >/dev/null
on mkdir /run/upper
on mount -t tmpfs upper /run/upper
on mkdir /run/upper/files /run/upper/spare
on mount -t overlay overlay -o lowerdir=/usr,upperdir=/run/upper/files,workdir=/run/upper/spare /usr
on rm -f /usr/local/bin/virsh
on test ! -e /usr/bin/virt-warden || fail "virt-warden is installed on this machine: this test can't tell"

truncate -s 16M "$dir/disk.img"
printf 'not blank' | dd of="$dir/disk.img" conv=notrunc status=none
domain old1 $old1 >"$dir/old1.xml"
domain old2 $old2 >"$dir/old2.xml"
domain new $new >"$dir/new.xml"
on virsh -q -c qemu:///system define "$dir/old1.xml"
on virsh -q -c qemu:///system define "$dir/old2.xml"
on virsh -q -c qemu:///system dumpxml --inactive old1 >"$dir/before.xml"

# A dry run first: it changes nothing.
run_install --dry-run
said "kill -HUP"
said "existing-domains"
on test ! -e /usr/bin/virt-warden || fail "--dry-run installed something"
on test ! -e /etc/virt-warden || fail "--dry-run made /etc/virt-warden"
on test ! -e /run/virt-warden/hook-reloaded || fail "--dry-run says that libvirtd was reloaded"

run_install
said "+ kill -HUP"
said "virsh is now: /usr/local/bin/virsh"
said "check --all"
said "old1"
[ "$(on cat /var/lib/virt-warden/existing-domains)" = "$(printf '%s\n' $old1 $old2 | sort)" ] ||
	fail "existing-domains: $(on cat /var/lib/virt-warden/existing-domains)"
on test -s /var/cache/virt-warden/os.index || fail "no OS index"
on virsh -q -c qemu:///system dumpxml --inactive old1 | cmp - "$dir/before.xml" || fail "an existing domain was changed"

# The front-end works for everybody who types virsh, and the verb is there.
on virsh -c qemu:///system define "$dir/new.xml" >"$dir/out" 2>&1
said "disk-cache"
on virsh -q -c qemu:///system dumpxml --inactive new | grep -q "cache='none'" || fail "define: the cache was not mended"
on virsh warden --help >"$dir/out" 2>&1 || fail "virsh warden --help: $(cat "$dir/out")"
on virt-warden os show debian11 >"$dir/out" 2>&1 || fail "os show: $(cat "$dir/out")"

# The agent is there, also for who has no sbin on PATH.
on env PATH=/usr/local/bin:/usr/bin:/bin virt-warden status -c qemu:///system >"$dir/out" 2>&1 || fail "status: $(cat "$dir/out")"
said "agent  *not running"

# doctor knows by the mark that libvirtd was reloaded.
on virt-warden doctor -c qemu:///system >"$dir/out" 2>&1 || true
said "was reloaded since"

# libvirtd saw the hook without being restarted: it refuses a start when the policy says so.
on sed -i 's/^#* *start *=.*/start = refuse/' /etc/virt-warden/warden.conf
on grep -q '^start = refuse' /etc/virt-warden/warden.conf || fail "warden.conf has no start key"
! on env VIRT_WARDEN=off virsh -c qemu:///system start old1 >"$dir/out" 2>&1 || fail "the hook does not run"
said "virt-warden"

# Again = upgrade: the note, the edited config and what libvirtd knows stay as they are.
run_install
said "was edited and stays"
! grep -q "kill -HUP" "$dir/out" || fail "libvirtd was reloaded though it knew the hook"
[ "$(on wc -l /var/lib/virt-warden/existing-domains | cut -d' ' -f1)" = 2 ] ||
	fail "existing-domains was written again"
on grep -q '^start = refuse' /etc/virt-warden/warden.conf || fail "the edited config was overwritten"

# Whoever does not find the front-end first on PATH is told so, as doctor does, and what to do.
on env PATH=/usr/sbin:/usr/bin:/sbin:/bin "$top/install.sh" --no-deps --no-build >"$dir/out" 2>&1 ||
	fail "install.sh with a short PATH: $(cat "$dir/out")"
said "FAIL: the first virsh on PATH is /usr/bin/virsh, not our wrapper"
said "remedy: put /usr/local/bin first in PATH"
! grep -q "virsh is now" "$dir/out" || fail "install.sh says that virsh is ours: $(cat "$dir/out")"

# Uninstall: virsh is the old one, the hook gone, history and config there; then purge.
run_install --uninstall
on virsh -c qemu:///system start old1 >"$dir/out" 2>&1 || fail "start after uninstall: $(cat "$dir/out")"
on virsh -q -c qemu:///system destroy old1
[ "$(on sh -c 'command -v virsh')" = /usr/bin/virsh ] || fail "virsh is still ours"
on test -d /var/lib/virt-warden/history || fail "uninstall removed the history"
on test -e /etc/virt-warden/warden.conf || fail "uninstall removed the config"
run_install --uninstall --purge
left=$(on find /etc /usr /var/lib /var/cache -xdev -path '*virt-warden*' 2>/dev/null | grep -v "^$top" || true)
[ -z "$left" ] || fail "--purge left: $left"

# Without a libvirtd that answers, its files tell which domains exist.
on mount -t tmpfs nothing /run/libvirt
run_install
said "no libvirtd answers"
[ "$(on wc -l /var/lib/virt-warden/existing-domains | cut -d' ' -f1)" = 3 ] ||
	fail "existing-domains without libvirtd: $(on cat /var/lib/virt-warden/existing-domains)"
