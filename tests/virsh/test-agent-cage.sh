#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent as its systemd unit runs it: root with one capability, in a mount namespace of its own.
# While that shows the same files, disks are looked at, also those of other owners; else not.
# timeout: 90
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start

# What the unit's SystemCallFilter= leaves. (libnuma, which comes along with libvirt, sets a memory policy
# when it is loaded: where the filter kills nothing starts at all.)
# shellcheck source=lib/unit-syscalls.sh
. "$top/tests/virsh/lib/unit-syscalls.sh"
unit_syscalls "$top/agent/virt-wardend.service"
others='kill'
! grep -qx SystemCallErrorNumber=EPERM "$top/agent/virt-wardend.service" || others='refuse'
run 1 "$tmp/only-syscalls" "$tmp/calls" refuse unshare -m true
run 159 "$tmp/only-syscalls" "$tmp/calls" kill unshare -m true

# cage MOUNTS: the agent behind what ProtectSystem, ProtectHome and NoNewPrivileges would make of it
cage() {
	cat >"$tmp/cage" <<-END
		set -e
		for dir in /usr /etc /home; do
			mount --bind \$dir \$dir
			mount -o remount,bind,ro \$dir
		done
		$1
		exec setpriv --bounding-set=-all,+dac_read_search --inh-caps=-all --no-new-privs \\
			'$tmp/only-syscalls' '$tmp/calls' $others '$VW_BUILD/virt-wardend' --foreground --pidfile '$tmp/agent.pid'
	END
	on unshare -m --propagation slave bash "$tmp/cage" >>"$agent_log" 2>&1 &
	wait_for 10 agent_is_up || fail "the agent does not come up: $(cat "$agent_log")"
}

cage ''
[ "$(on readlink "/proc/$(agent_pid)/ns/mnt")" != "$(on readlink /proc/self/ns/mnt)" ] || fail "no namespace of its own"
on grep -q '^CapEff:	0000000000000004$' "/proc/$(agent_pid)/status" || fail "other capabilities"
run 1 on nsenter -t "$(agent_pid)" -m touch /etc/x
generic web1 >"$tmp/web1.xml"
chown 12345:12345 "$tmp/web1.img"
chmod 600 "$tmp/web1.img"
plain define "$tmp/web1.xml" >"$tmp/out"
becomes web1 "<target dev='vda' bus='virtio'/>"
agent_stop

# A mount of its own hides something: its paths are not libvirtd's, so no disk is looked at.
cage 'mount -t tmpfs tmpfs /srv'
generic web2 >"$tmp/web2.xml"
plain define "$tmp/web2.xml" >"$tmp/out"
wait_for 10 grep -q '^web2: not fixed: .*disk-bus' "$agent_log" || fail "nothing said: $(cat "$agent_log")"
stored_has web2 "bus='ide'"
agent_stop
