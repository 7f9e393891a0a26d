#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What any client defines or changes is fixed, once, and the original is in the history: virsh
# without our wrapper, virt-install, python3-libvirt, attach-disk --config, rename, snapshot revert.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start

# There before the agent: reported, not changed.
generic old >"$tmp/old.xml"
plain define "$tmp/old.xml" >"$tmp/out"
agent_start --connect qemu:///system
wait_for 10 grep -q '^old: not fixed, because it was here before the agent' "$agent_log" || fail "nothing said of old"
stored_hasnt old "cache='none'"

# virsh: the host class at once, the rest a second later; new here and blank, so all of it.
generic web1 >"$tmp/web1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
becomes web1 "cache='none'"
hasnt "$tmp/xml" "bus='virtio'"
becomes web1 "<target dev='vda' bus='virtio'/>"
has "$tmp/xml" "passwd='s3kret'"
has "$tmp/xml" "<rng model='virtio'>"

# virt-install, both ways.
truncate -s 1G "$tmp/inst.img" "$tmp/imp.img"
install=(virt-install --connect qemu:///system --virt-type qemu --memory 256 --osinfo debian11
	--network network=default --graphics none --sound none)
on "${install[@]}" --name inst --disk "$tmp/inst.img,bus=sata,cache=writeback" --import --print-xml >"$tmp/inst.xml"
plain define "$tmp/inst.xml" >"$tmp/out"
on "${install[@]}" --name imp --disk "$tmp/imp.img,cache=writeback" --import --noautoconsole >"$tmp/out" 2>&1
becomes inst "bus='virtio'"
becomes inst "cache='none'"
becomes imp "cache='none'"
plain destroy imp >"$tmp/out"

# python3-libvirt.
generic py >"$tmp/py.xml"
on /usr/bin/python3 -c 'import libvirt, sys; libvirt.open("qemu:///system").defineXML(open(sys.argv[1]).read())' "$tmp/py.xml"
becomes py "<target dev='vda' bus='virtio'/>"
settled

# attach-disk --config raises no event: the comparison sees it. Only that disk is fixed.
truncate -s 1G "$tmp/second.img"
plain attach-disk web1 "$tmp/second.img" vdb --config --cache writeback >"$tmp/out"
attached() { stored web1 && [ "$(grep -c "cache='none'" "$tmp/xml")" = 2 ]; }
wait_for 10 attached || fail "the attached disk keeps its cache"
stored_hasnt web1 "writeback"

# Rename: still ours; a change under the new name is fixed.
plain domrename py snake >"$tmp/out"
truncate -s 1G "$tmp/third.img"
plain attach-disk snake "$tmp/third.img" vdb --config --cache writeback >"$tmp/out"
fixed_both() { stored snake && [ "$(grep -c "cache='none'" "$tmp/xml")" = 2 ]; }
wait_for 10 fixed_both || fail "not fixed after a rename"

# Snapshot revert brings an old config back.
qemu-img create -q -f qcow2 "$tmp/snap.qcow2" 1G
generic snap | sed "s,snap.img,snap.qcow2,;s,type='raw',type='qcow2' cache='writeback'," >"$tmp/snap.xml"
agent_stall
plain define "$tmp/snap.xml" >"$tmp/out"
plain snapshot-create-as snap before >"$tmp/out"
agent_wake
becomes snap "cache='none'"
settled
agent_stall
plain snapshot-revert snap before >"$tmp/out"
stored_has snap "writeback"
agent_wake
settled
becomes snap "cache='none'"
[ "$(said snap 'put back')" = 0 ] || fail "a revert is nobody's hand"

# Each fixed, none twice: no rule twice in a domain's history, but for a disk that came later and a
# config that came back (TIMES of disk-cache). What is there of the client is what it was before.
settled
history_xml() { on sh -c "cat /var/lib/virt-warden/history/$(uuid_of "$1")/$(printf %06u "$2")-*.xml"; }
check_history() { # check_history NAME TIMES ORIGINAL [MAY]: regexes that only the original has; that may be twice
	local name=$1 times=$2 original=$3 may=${4:-disk-} fixes n
	on "$VW_BUILD/virt-warden" history "$name" --json >"$tmp/history"
	jq -r '.versions[] | select(.cause == "agent") | .rules | if type == "array" then .[] else splits(" ") end' "$tmp/history" |
		grep . | sort | uniq -c >"$tmp/out"
	grep -qE "^ *$times disk-cache\$" "$tmp/out" || fail "$name: disk-cache not fixed $times times"
	! grep -vE "^ *(1 |$times $may)" "$tmp/out" >"$tmp/err" || fail "$name: fixed twice"
	[ "$(jq -r '.versions[0] | "\(.n // .version) \(.cause)"' "$tmp/history")" = "1 seen" ] || fail "$name: the history does not begin with the client's"
	history_xml "$name" 1 >"$tmp/out"
	has "$tmp/out" "$original"
	hasnt "$tmp/out" "cache='none'"
	# Before every fix there is what it was made from: the client's, or the host class's.
	fixes=$(jq -r '.versions[] | select(.cause == "agent") | .n // .version' "$tmp/history")
	for n in $fixes; do
		history_xml "$name" "$n" >"$tmp/out"
		history_xml "$name" $((n - 1)) >"$tmp/err"
		[ "$(sed '$d' "$tmp/out")" != "$(sed '$d' "$tmp/err")" ] || fail "$name: version $n changes nothing"
	done
}
check_history web1 2 "<target dev='hda' bus='ide'/>"
check_history snake 2 "<target dev='hda' bus='ide'/>"
check_history inst 1 "<driver name='qemu' type='[a-z0-9]+' cache='writeback'.*/>"
check_history imp 1 "<driver name='qemu' type='[a-z0-9]+' cache='writeback'.*/>"
check_history snap 2 "<driver name='qemu' type='qcow2' cache='writeback'/>" '[a-z]'
# The silent change and the reverted config are versions, too: as the client's, not only as fixed.
for name in web1 snake snap; do
	on "$VW_BUILD/virt-warden" history "$name" --json >"$tmp/history"
	last=$(jq -r '[.versions[] | select(.cause == "seen") | .n // .version] | max' "$tmp/history")
	[ "$last" -gt 1 ] || fail "$name: what came later is not in the history"
	history_xml $name "$last" >"$tmp/out"
	has "$tmp/out" "cache='writeback'"
done
stored_hasnt old "cache='none'"

# The owner's next define ends the reserve towards a domain that was there before.
plain define "$tmp/old.xml" >"$tmp/out" 2>&1 || true
sed "s,256,257,;/<name>/a <uuid>$(uuid_of old)</uuid>" "$tmp/old.xml" >"$tmp/old2.xml"
plain define "$tmp/old2.xml" >"$tmp/out"
becomes old "cache='none'"
agent_stop
