#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# If libvirt refuses the fixed XML, what the guest can't see is fixed alone; if it refuses that, too,
# the typed XML goes through, with one warning and a line in syslog; if all are refused the user sees
# what the plain virsh says, also with --validate. The command does the same.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

# Templates that make XML which libvirt refuses: for what the guest sees; for the host class, too.
mkdir "$tmp/templates.d"
bad_template() {
	sed "s/tickpolicy='catchup'/tickpolicy='merge'/" "$top/xml-templates/linux-modern.xml" \
		>"$tmp/templates.d/linux-modern.xml"
}
bad_host_class() {
	sed "s/prefer='unmap'/prefer='nosuchmode'/" "$top/xml-templates/common.xml" >"$tmp/templates.d/common.xml"
}
# What one program logs, as syslogd would hear it.
cat >"$tmp/syslogd" <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("/dev/log")
s.settimeout(30)
print("ready", flush=True)
print(s.recv(4096).decode(), flush=True)
END

# refused_alike ARG…: the same stdout, stderr and exit status as the plain virsh.
refused_alike() {
	run 1 on "$real" "$@"
	cp "$tmp/out" "$tmp/real.out"
	cp "$tmp/err" "$tmp/real.err"
	run 1 on virsh "$@"
	cmp "$tmp/real.out" "$tmp/out" || fail "another stdout: $*"
	cmp "$tmp/real.err" "$tmp/err" || fail "another stderr: $*"
}

generic web1 >"$tmp/web1.xml"
bad_template

# The host class alone.
run 0 on virsh define "$tmp/web1.xml"
has "$tmp/err" "^virt-warden: web1: libvirt refuses the whole fix, so only what the guest can't see was fixed \(.*tickpolicy 'merge'\)$"
has "$tmp/err" '^  disk-cache vda?|^  disk-cache hda: default -> none$'
stored_has web1 "bus='ide'"
has "$tmp/xml" "cache='none'"
hasnt "$tmp/xml" 'tickpolicy'
[ "$(versions "$(on "$real" domuuid web1)")" -ge 2 ] || fail "what was typed is not in the history"
on "$real" undefine web1 >"$tmp/undefine"
run 0 on virsh create --paused "$tmp/web1.xml"
has "$tmp/err" "only what the guest can't see was fixed"
on "$real" dumpxml web1 >"$tmp/xml"
has "$tmp/xml" "cache='none'"
on "$real" destroy web1 >"$tmp/undefine"
on "$real" define "$tmp/web1.xml" >"$tmp/define"
run 1 on virt-warden fix web1
has "$tmp/err" "^virt-warden: web1: libvirt refuses the whole fix, so only what the guest can't see was fixed"
has "$tmp/out" "not yet, because libvirt refuses the whole fix .*tickpolicy 'merge'"
stored_has web1 "cache='none'"
has "$tmp/xml" "bus='ide'"
run 3 on virt-warden fix web1 # nothing of the host class is left
has "$tmp/err" "libvirtd refuses the new XML.*tickpolicy 'merge'"
on "$real" undefine web1 >"$tmp/undefine"

# Nothing of it.
bad_host_class
on /usr/bin/python3 "$tmp/syslogd" >"$tmp/syslog" &
logger=$!
while [ ! -s "$tmp/syslog" ]; do sleep 0.05; done
run 0 on virsh define "$tmp/web1.xml"
wait $logger
[ "$(wc -l <"$tmp/err")" = 1 ] || fail "not one line"
has "$tmp/err" "^virt-warden: web1: libvirt refuses the fixed XML, so it was used as you typed it \(.*nosuchmode.*\)$"
has "$tmp/syslog" "virsh: virt-warden: kind=fix-refused uuid=[0-9a-f-]{36} domain=\"[^\"]*\" message=\".*nosuchmode"
stored_has web1 "bus='ide'"
hasnt "$tmp/xml" 'tickpolicy'
cp "$tmp/xml" "$tmp/fallback.xml"
on "$real" undefine web1 >"$tmp/undefine"
on "$real" define "$tmp/web1.xml" >"$tmp/define"
stored web1
diff <(grep -vE '<uuid|<mac' "$tmp/fallback.xml") <(grep -vE '<uuid|<mac' "$tmp/xml") || fail "not what the plain virsh stores"
on "$real" undefine web1 >"$tmp/undefine"

# As XML for create, too.
run 0 on virsh create --paused "$tmp/web1.xml"
has "$tmp/err" "libvirt refuses the fixed XML"
on "$real" destroy web1 >"$tmp/undefine"

# Both are refused, each for its own reason: the typed one's is told.
sed "s,</devices>,<video><model type='nosuchvideo'/></video>&," "$tmp/web1.xml" >"$tmp/both.xml"
refused_alike define "$tmp/both.xml"
has "$tmp/err" nosuchvideo
refused_alike create "$tmp/both.xml"
rm "$tmp/templates.d/linux-modern.xml" "$tmp/templates.d/common.xml"

# --validate: refused by the schema.
sed "s,</devices>,<bogus/>&," "$tmp/web1.xml" >"$tmp/schema.xml"
refused_alike define --validate "$tmp/schema.xml"
refused_alike create --validate "$tmp/schema.xml"
run 0 on virsh define --validate "$tmp/web1.xml"
has "$tmp/err" 'fixes'
stored_has web1 "bus='virtio'"

# No XML at all, and XML that libvirt won't have.
: >"$tmp/empty.xml"
echo '<domain' >"$tmp/cut.xml"
echo '<network><name>x</name></network>' >"$tmp/network.xml"
printf '<domain type="qemu"><name>x</name>\377\376</domain>' >"$tmp/bytes.xml"
sed 's,<name>,<name><b/>,' "$tmp/web1.xml" >"$tmp/name.xml"
sed "s,<name>web1,<uuid>nonsense</uuid>&," "$tmp/web1.xml" >"$tmp/uuid.xml"
sed "s,type='qemu',type='nosuch'," "$tmp/web1.xml" >"$tmp/type.xml"
sed "s,<name>web1</name>,," "$tmp/web1.xml" >"$tmp/noname.xml"
sed "s,hvm,uml," "$tmp/web1.xml" >"$tmp/os.xml"
for x in empty cut network bytes name uuid type noname os; do
	refused_alike define "$tmp/$x.xml"
	refused_alike create "$tmp/$x.xml"
done
