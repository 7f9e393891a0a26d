#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# One hostile name (C1, DEL, directions, a forged log line) through every output: no byte that a terminal
# obeys arrives, nothing that turns the text; JSON keeps the name; no field of a log is forged.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
export LC_ALL=C.UTF-8 TERM=dumb
name=$(printf 'w\302\2332J\302\205\342\200\256gpj\330\234\342\201\246\177: fixed: kind=put-back uuid=0 message="y" z')
cat >"$tmp/clean.py" <<'END'
"""usage: clean.py FILE: is there a byte that must not arrive?"""
import re, sys
data = open(sys.argv[1], "rb").read().replace(b"\r\n", b"\n")
data.decode()
bad = re.search(rb"[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xef\xbb\xbf", data)
if bad: sys.exit(f"{sys.argv[1]}: {bad.group()!r} in {data[max(0, bad.start() - 80):bad.end() + 40]!r}")
END
clean() { /usr/bin/python3 "$tmp/clean.py" "$1" || fail "not clean"; }
# shown STATUS COMMAND…: both outputs are clean, and something was said. STATUS -: any
shown() {
	if [ "$1" = - ]; then
		"${@:2}" >"$tmp/out" 2>"$tmp/err" </dev/null || true
	else
		run "$@"
	fi
	[ -s "$tmp/out" ] || [ -s "$tmp/err" ] || fail "$* says nothing"
	clean "$tmp/out"
	clean "$tmp/err"
}
# json STATUS COMMAND…: clean, and the name is what it was
json() {
	shown "$@" --json
	jq -e --arg name "$name" '[.. | strings] | any(. == $name)' "$tmp/out" >"$tmp/jq" || fail "another name: ${*:2}"
}
# typed COMMAND…: on a terminal
typed() {
	script -qec "$(printf '%q ' "$@")" /dev/null >"$tmp/typed" </dev/null || true
	[ -s "$tmp/typed" ] || fail "$* says nothing on a terminal"
	clean "$tmp/typed"
}

uuid=5f0e3b1a-0000-4000-8000-00000000beef
generic web1 $uuid >"$tmp/web1.xml"
/usr/bin/python3 - "$tmp/web1.xml" "$name" <<'END'
import sys
from xml.sax.saxutils import escape
path, name = sys.argv[1:]
text = open(path).read().replace("<name>web1<", f"<name>{escape(name)}<")
open(path, "w").write(text.replace("<memory ", f"<title>{escape(name)}</title>\n  <memory ", 1))
END
odd=$tmp/$(printf 'x\302\2332J\342\200\256').xml
cp "$tmp/web1.xml" "$odd"

# Files; error texts; a terminal.
for file in "$tmp/web1.xml" "$odd"; do
	LIBVIRT_DEFAULT_URI=nosuch:/// shown 1 virt-warden check "$file"
	LIBVIRT_DEFAULT_URI=nosuch:/// json 1 virt-warden check "$file"
	LIBVIRT_DEFAULT_URI=nosuch:/// typed virt-warden fix "$file"
	LIBVIRT_DEFAULT_URI=nosuch:/// typed virt-warden fix --diff "$file"
done
cp "$odd" "$tmp/before.xml"
LIBVIRT_DEFAULT_URI=nosuch:/// run 0 virt-warden fix --print-xml "$odd"
grep -qF "<name>$(sed -n 's,.*<name>\(.*\)</name>,\1,p' "$odd")</name>" "$tmp/out" || fail "a pipe gets another XML"
echo broken >"$odd"
LIBVIRT_DEFAULT_URI=nosuch:/// shown 3 virt-warden check "$odd"
LIBVIRT_DEFAULT_URI=nosuch:/// shown 2 virt-warden check "--$name"
LIBVIRT_DEFAULT_URI=nosuch:/// shown 2 virt-warden new --os debian11 --name "$name"
facts=$top/tests/migrate/facts
jq --arg name "$name" '.name = $name | .hostname = $name | .uuid = "evil" | .networks = []' "$facts/alpha.json" >"$tmp/evil.json"
shown 0 virt-warden matrix --html "$tmp/page.html" "$tmp/evil.json" "$facts/alpha.json" "$facts/amd.json"
clean "$tmp/page.html"
json 0 virt-warden matrix "$tmp/evil.json" "$facts/alpha.json" "$facts/amd.json"
shown - virt-warden -c "$tmp/evil.json" preflight "$tmp/before.xml" "$facts/amd.json"
json - virt-warden -c "$tmp/evil.json" preflight "$tmp/before.xml" "$facts/amd.json"

# The prompt, a libvirtd, the agent with syslog, alerts.
lab_start
on /usr/bin/python3 "$top/tests/hook/log-sink.py" /dev/log "$tmp/syslog" &
wait_for 10 on test -S /dev/log || fail "no /dev/log"
printf '[agent]\ncompare-interval = 2\n[policy]\nverify = off\n' >"$VIRT_WARDEN_CONF"
run 0 on "$VW_BUILD/virt-wardend" --pidfile "$tmp/agent.pid" # a daemon: its lines go to syslog
wait_for 20 agent_is_up || fail "the agent does not come up"
plain define "$tmp/before.xml" >"$tmp/raw"
becomes $uuid "bus='virtio'"
wait_for 10 grep -qa "kind=fixed uuid=$uuid domain=\"" "$tmp/syslog" || fail "not logged: $(cat "$tmp/syslog")"
clean "$tmp/syslog"
[ "$(grep -ca ' kind=put-back uuid=0' "$tmp/syslog")" = "$(grep -ca 'domain="[^"]* kind=put-back uuid=0' "$tmp/syslog")" ] ||
	fail "a forged field: $(cat "$tmp/syslog")"
shown 0 on virt-warden history $uuid
typed on virt-warden history $uuid --diff 2
typed on virt-warden history $uuid --print 1
shown - on virt-warden check $uuid
json - on virt-warden check $uuid
for verb in status doctor; do
	shown - on virt-warden $verb
	shown - on virt-warden $verb --json
done
shown - on virt-warden verify $uuid --window 1
typed on virt-warden undo $uuid
agent_stop
on "$real" -q undefine $uuid
run 0 on virsh define "$tmp/before.xml"
has "$tmp/err" '^virt-warden: w\?2J\?\?gpj\?\?\?: fixed: '
clean "$tmp/err"
