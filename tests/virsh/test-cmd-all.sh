#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A whole host: check --all with none, one and many domains, the worst first; fix --all leaves
# alone what its mode or owner forbids.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

w() { on virt-warden "$@"; }

run 0 w check --all
has "$tmp/out" '^0 domains on qemu:///system: '
has "$tmp/out" 'virt-warden new'
run 0 w check --all --json
jq -e '. == {"version": 1, "domains": []}' "$tmp/out" >/dev/null || fail "JSON of nothing"

# One domain: the sum, then all of it.
generic solo >"$tmp/solo.xml"
run 0 on "$real" define "$tmp/solo.xml"
run 1 w check --all
has "$tmp/out" '^1 domain on qemu:///system: 0 conformant, 1 with findings, 0 of unknown OS$'
has "$tmp/out" '^  disk-cache '
has "$tmp/out" '^  virt-warden fix --diff solo  '
run 1 w check
has "$tmp/out" '^1 domain on '

# Many: conformant ones, one without an OS, one that runs, one of a cloud, one whose mode is audit.
for i in $(seq 20); do generic "web$i" | on "$real" define /dev/stdin >/dev/null; done
for i in $(seq 3); do
	generic "good$i" >"$tmp/good.xml"
	on virsh -q define "$tmp/good.xml" >/dev/null 2>&1
done
generic noos | sed '/<metadata>/,/<\/metadata>/d' | on "$real" define /dev/stdin >/dev/null
generic cloud | sed "s,<metadata>,<metadata><nova:instance xmlns:nova='http://openstack.org/xmlns/libvirt/nova/1.1'/>," |
	on "$real" define /dev/stdin >/dev/null
generic audited | on "$real" define /dev/stdin >/dev/null
on virt-warden mode --quiet audited audit
generic 'odd; name' | on "$real" define /dev/stdin >/dev/null
on "$real" start solo >/dev/null

run 1 w check --all
has "$tmp/out" '^28 domains on qemu:///system: 3 conformant, 25 with findings, 1 of unknown OS$'
has "$tmp/out" '^  solo +Debian 11 +running '
has "$tmp/out" '^  audited +Debian 11 +off, audit '
has "$tmp/out" '^  noos +unknown OS '
has "$tmp/out" '^  safe live migration +25 +disk-cache$'
has "$tmp/out" '^  virt-warden fix --all  '
hasnt "$tmp/out" '^  good'
# The sum is the first line; the rows are sorted: what can be fixed goes down.
awk '/^  [a-z].* (running|off)/ { n = 0; for (i = 1; i <= NF; i++) if ($i ~ /^[0-9]+$/ && $(i+1) ~ /^[0-9]+$/) n = $i
	if (seen && n > last) exit 1; last = n; seen = 1 }' "$tmp/out" || fail "not the worst first"
# Its own advice works.
first=$(sed -n 's/^  \(virt-warden check .*\)  each finding.*/\1/p' "$tmp/out")
[ -n "$first" ] || fail "no advice"
run 1 on bash -c "$first"
run 1 w check --all --json
jq -e '(.domains | length) == 28 and ([.domains[] | select(.findings == [])] | length) == 3' "$tmp/out" >/dev/null || fail "JSON"
run 1 w check --all --quiet
empty "$tmp/out"
empty "$tmp/err"

# On a small terminal the worst are shown, and how many more there are.
cat >"$tmp/terminal.py" <<'END'
import fcntl, os, pty, struct, sys, termios
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    os.execvp(sys.argv[1], sys.argv[1:])
try:
    while data := os.read(fd, 65536):
        os.write(1, data)
except OSError:
    pass
os.waitpid(pid, 0)
END
on env TERM=xterm LC_ALL=C.UTF-8 NO_COLOR=1 python3 "$tmp/terminal.py" virt-warden check --all >"$tmp/out"
has "$tmp/out" '  and 15 more: virt-warden check --all \| less'

# fix --all --dry-run changes nothing; fix --all fixes all but the cloud's and the audited one.
on sh -c 'cat /etc/libvirt/qemu/*.xml' | sha256sum >"$tmp/before"
run 1 w fix --all --dry-run
on sh -c 'cat /etc/libvirt/qemu/*.xml' | sha256sum | cmp - "$tmp/before" || fail "--dry-run changed something"
on virt-warden fix --all >"$tmp/out" 2>"$tmp/err" || [ $? = 1 ] || fail "fix --all"
has "$tmp/out" '^odd; name: [0-9]+ fixed, '
has "$tmp/err" '^virt-warden: cloud: left alone'
has "$tmp/err" '^virt-warden: audited: left alone'
for d in cloud audited; do stored_hasnt $d "cache='none'"; done
for d in web1 web20 solo noos 'odd; name'; do stored_has "$d" "cache='none'"; done
# Named, the admin's word counts.
on virt-warden fix --quiet audited || [ $? = 1 ] || fail "fix audited"
stored_has audited "cache='none'"
on "$real" destroy solo >/dev/null

# status counts them.
run 0 w status
has "$tmp/out" '^domains +28: 0 running, 28 off$'
has "$tmp/out" '^modes +26 enforce, 2 audit, 0 off$'
run 0 w status --json
jq -e '.version == 1 and .domains.total == 28 and .domains.modes.audit == 2 and .domains.fixed >= 24
	and .os_index.oses > 100' "$tmp/out" >/dev/null || fail "JSON of status"
