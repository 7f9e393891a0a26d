#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A LUN, bridge, PCI, USB, SCSI or mediated device that a domain names goes: an alert says that it can't start any
# more; it comes back: the alert is over. And discard only where the device supports it.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
read -ra flags <<<"$(pkg-config --cflags --libs umockdev-1.0)"
cc -o "$tmp/driver" "$top/tests/virsh/lib/udev-driver.c" "${flags[@]}"

needy() { # needy NAME SED: a generic domain with one more device
	generic "$1" | sed "s,^  </devices>,$2&,"
}
needy vm-lun "<disk type='block' device='disk'><source dev='/dev/disk/by-id/wwn-0xtest'/><target dev='sdb' bus='scsi'/></disk>" >"$tmp/lun.xml"
needy vm-bridge "<interface type='bridge'><source bridge='brtest'/></interface>" >"$tmp/bridge.xml"
needy vm-pci "<hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0x0b' slot='0' function='1'/></source></hostdev>" >"$tmp/pci.xml"
needy vm-usb "<hostdev mode='subsystem' type='usb'><source><vendor id='0x046d'/><product id='0xc52b'/></source></hostdev>" >"$tmp/usb.xml"
needy vm-scsi "<hostdev mode='subsystem' type='scsi'><source><adapter name='scsi_host2'/><address bus='0' target='0' unit='1'/></source></hostdev>" >"$tmp/scsi.xml"
needy vm-mdev "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='83b8f4f2-509f-382f-3c1e-e6bfe0fa1001'/></source></hostdev>" >"$tmp/mdev.xml"
generic calm >"$tmp/calm.xml"
for name in lun bridge pci usb scsi mdev calm; do plain define "$tmp/$name.xml" >"$tmp/out"; done

# The agent on mocked devices; they are told what to do by a pipe.
mkfifo "$tmp/pipe"
on umockdev-wrapper "$tmp/driver" "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" \
	<"$tmp/pipe" >>"$agent_log" 2>&1 &
exec 7>"$tmp/pipe"
devices() { printf '%s\n' "$@" >&7; }
devices 'add lun' 'add bridge' 'add pci' 'add usb' 'add scsi' 'add mdev'
wait_for 10 agent_is_up || fail "the agent does not come up: $(cat "$agent_log")"
# What was missing when it started is there by now, or will be seen to be in a moment.
sleep 2
# The queue's open ones: "domain kind" of each, sorted.
# shellcheck disable=SC2016  # the host's own variable is meant
open_alerts() {
	on sh -c 'for f in /var/lib/virt-warden/alerts/*.open; do [ ! -e "$f" ] || sed -n "s/^\(kind\|domain\) //p" "$f" | sort | tr "\n" " "; done' |
		sed 's/ $//'
}
alerts_are() { [ "$(open_alerts)" = "$1" ]; }
wait_for 5 alerts_are '' || fail "alerts: $(open_alerts) $(cat "$agent_log")"

for name in lun bridge pci usb scsi mdev; do
	devices "remove $name"
	wait_for 6 alerts_are "cannot-start vm-$name" || fail "$name went: $(open_alerts) $(cat "$agent_log")"
	devices "add $name"
	wait_for 6 alerts_are '' || fail "$name came: $(open_alerts) $(cat "$agent_log")"
	[ "$(said "vm-$name" "it can't start any more: this host has no ")" -ge 1 ] || fail "not said of $name"
done
has "$agent_log" "^vm-lun: it can't start any more: this host has no block /dev/disk/by-id/wwn-0xtest\$"
has "$agent_log" "^vm-pci: .* no pci 0000:0b:00.1\$"
has "$agent_log" "^vm-scsi: .* no scsi 2:0:0:1\$"
has "$agent_log" "^vm-mdev: .* no mdev 83b8f4f2-509f-382f-3c1e-e6bfe0fa1001\$"
[ "$(grep -c '^calm: it can' "$agent_log")" = 0 ] || fail "calm needs nothing"

# Undefined: nobody waits for it any more. One that names what is not there: at the next comparison.
devices 'remove bridge'
wait_for 6 alerts_are "cannot-start vm-bridge" || fail "the bridge went: $(open_alerts)"
plain undefine vm-bridge >"$tmp/out"
wait_for 6 alerts_are '' || fail "undefined, and still open: $(open_alerts)"
plain define "$tmp/bridge.xml" >"$tmp/out"
wait_for 10 alerts_are "cannot-start vm-bridge" || fail "defined without its bridge: $(open_alerts)"
exec 7>&-
wait_for 10 agent_is_gone || fail "the agent does not end"

# A LUN's discard limit, as sysfs tells it, decides.
truncate -s 16M "$tmp/lun.img"
disk=$("$top/tests/lab/lab" loop "$tmp/lun.img")
number=$(on stat -c '%Hr:%Lr' "$disk")
for limit in 0 4096; do
	mkdir -p "$tmp/sysroot/sys/dev/block/$number/queue"
	echo $limit >"$tmp/sysroot/sys/dev/block/$number/queue/discard_max_bytes"
	generic "limit$limit" | sed "s,type='file',type='block',; s,file='[^']*',dev='$disk'," >"$tmp/limit.xml"
	VIRT_WARDEN_SYSROOT=$tmp/sysroot agent_start
	plain define "$tmp/limit.xml" >"$tmp/out"
	becomes "limit$limit" "bus='virtio'"
	VIRT_WARDEN_SYSROOT=$tmp/sysroot settled
	agent_stop
done
stored_hasnt limit0 "discard='unmap'"
stored_has limit4096 "discard='unmap'"

# A path on a dead file server: nobody else waits for it, and the agent ends when it is told to.
hang=/dev/shm/vw-test-$$
on mkdir "$hang"
# shellcheck disable=SC2016  # expanded in the lab host
on sh -c 'echo $$ >"$2"; exec /usr/bin/python3 "$0" "$1"' "$top/tests/hook/fuse-hang.py" "$hang" "$tmp/hang.pid" &
wait_for 10 on grep -q " $hang " /proc/mounts || fail "no FUSE mount"
needy hung "<disk type='block' device='disk'><driver name='qemu' type='raw'/><source dev='$hang/lun'/><target dev='sdb' bus='scsi'/></disk>" >"$tmp/hung.xml"
plain define "$tmp/hung.xml" >"$tmp/out"
agent_start
generic beside >"$tmp/beside.xml"
plain define "$tmp/beside.xml" >"$tmp/out"
becomes beside "bus='virtio'"
[ "$(said hung "it can't start")" = 0 ] || fail "what is not known is said to be missing"
agent_stop
on sh -c "kill $(cat "$tmp/hang.pid"); umount -l $hang; rmdir $hang"
