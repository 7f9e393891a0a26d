#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A guest's QEMU is stopped (kill -STOP), and a client waits for it already, so that its job is taken:
# nothing of ours that names the guest hangs, the agent goes on with other domains, SIGTERM is heard.
# All rows run at the same time.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/../virsh/lib-agent.sh"
lab_start
"${CC:-cc}" -c -o "$tmp/tick.o" "$top/tests/lab/guest/tick.S"
ld -m elf_x86_64 -Ttext=0 --oformat binary -e start -o "$tmp/tick.rom" "$tmp/tick.o"
truncate -s 1M "$tmp/disk.img"
cat >"$tmp/guest.xml" <<-END
	<domain type='qemu'>
	  <name>still</name>
	  <memory unit='MiB'>4</memory>
	  <vcpu>1</vcpu>
	  <os>
	    <type arch='x86_64' machine='pc'>hvm</type>
	    <loader readonly='yes' type='rom'>$tmp/tick.rom</loader>
	  </os>
	  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>486</model></cpu>
	  <devices>
	    <disk type='file' device='disk'>
	      <driver name='qemu' type='raw' cache='none'/><source file='$tmp/disk.img'/><target dev='hda' bus='ide'/>
	    </disk>
	    <controller type='usb' model='none'/>
	    <memballoon model='none'/>
	    <serial type='file'><source path='$tmp/console' append='on'/></serial>
	  </devices>
	</domain>
END
plain define "$tmp/guest.xml" >"$tmp/out"
plain start still >"$tmp/out"
wait_for 10 test -s "$tmp/console" || fail "the guest does not tick"
agent_start --connect qemu:///system
on kill -STOP "$(on cat /run/libvirt/qemu/still.pid)"
plain domstats --balloon still >"$tmp/waits" 2>&1 & # has the guest's job, and waits
waiter=$!

rows=() jobs=()
slow=10 # as in tests/virsh/test-stopped-libvirtd.sh
row() { # row NAME SECONDS STATUSES WORDS ARGUMENT…
	local name=$1 bound=$2 want=$3 words=$4
	shift 4
	rows+=("$name")
	(
		begin=${EPOCHREALTIME/./} rc=0
		on timeout -s KILL 70 "$VW_BUILD/virt-warden" "$@" </dev/null >"$tmp/row.$name" 2>&1 || rc=$?
		ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
		if ! [[ $rc =~ ^($want)$ ]]; then
			echo "exit $rc, not $want ($ms ms)"
		elif [ $ms -gt $((bound * 1000)) ]; then
			echo "$ms ms, not ${bound}000"
		elif ! grep -qE -- "$words" "$tmp/row.$name"; then
			echo "does not say: $words"
		else
			echo "ok $ms ms"
		fi >"$tmp/row.$name.result"
	) &
	jobs+=($!)
}
row check $((3 + slow)) '0|1' still check still
row check-all $((3 + slow)) '0|1' '1 domain on' check --all
row fix-dry $((3 + slow)) '0|1' still fix still --dry-run
row status $((3 + slow)) 0 '1 running' status
row doctor $((3 + slow)) '0|1' 'libvirt +pass' doctor
row history $((3 + slow)) 0 seen history still
row os-detect $((3 + slow)) '0|1|3' . os detect still
row preflight $((9 + slow)) '1|3' . preflight still qemu:///system
row facts $((9 + slow)) 0 . facts qemu:///system
row verify $((12 + slow)) 1 'failed|degraded' verify still
row mode $((31 + slow)) '0|3' . mode still audit # libvirt waits 30 s for the guest's job
# The agent goes on meanwhile.
generic other >"$tmp/other.xml"
plain define "$tmp/other.xml" >"$tmp/out"
becomes other "bus='virtio'"
wait "${jobs[@]}" || true
bad=0
for name in "${rows[@]}"; do
	echo "$name: $(cat "$tmp/row.$name.result")"
	[[ $(cat "$tmp/row.$name.result") == ok* ]] || { bad=1 && sed 's/^/    /' "$tmp/row.$name"; }
done
[ $bad = 0 ] || fail "see above"
begin=${EPOCHREALTIME/./}
agent_stop
ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
[ $ms -le 3500 ] || fail "SIGTERM: $ms ms"
echo "agent: $ms ms"
kill "$waiter" 2>/dev/null || true
wait "$waiter" 2>/dev/null || true
on kill -CONT "$(on cat /run/libvirt/qemu/still.pid)"
plain destroy still >"$tmp/out"
