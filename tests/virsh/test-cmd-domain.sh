#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# check, fix, os, mode and history of domains of a real libvirtd: what is stored is what was
# said, what was there is kept, and nothing but what was named is changed.
# timeout: 240
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

w() { on virt-warden "$@"; }
uuid=11111111-2222-3333-4444-555555555555
generic web1 $uuid >"$tmp/web1.xml"
run 0 on "$real" define "$tmp/web1.xml"

# By name, by UUID, by id where it runs; an unknown one is said.
run 1 w check web1
has "$tmp/out" '^web1  Debian 11 \(metadata\)  [0-9]+ findings$'
has "$tmp/out" '^  disk-cache +hda +default . none +fix/'
has "$tmp/out" 'Next: virt-warden fix web1$'
cp "$tmp/out" "$tmp/by-name"
run 1 w check $uuid
cmp "$tmp/out" "$tmp/by-name"
run 3 w check nosuch
[ "$(cat "$tmp/err")" = "virt-warden: nosuch: no such domain (virsh list --all names them)" ] || fail "another message"
run 3 w check nosuch web1
has "$tmp/out" '^web1 '

# What only looks changes nothing, and keeps nothing.
on "$real" dumpxml --inactive --security-info web1 >"$tmp/before.xml"
run 1 w fix --dry-run --allow boot,visible web1
for option in --diff --print-xml; do
	run 1 w fix --quiet $option web1
	[ -s "$tmp/out" ] || fail "fix $option prints nothing"
done
run 0 w history web1
has "$tmp/err" 'nothing was kept'
on "$real" dumpxml --inactive --security-info web1 >"$tmp/now.xml"
cmp "$tmp/before.xml" "$tmp/now.xml" || fail "a look changed the config"

# fix: stored with the password of the console; in the end nothing is left. (Where the board
# changes, libvirt gives the addresses first: what needs a free one may come with a second fix.)
on virt-warden fix --allow boot,visible web1 >"$tmp/out" || [ $? = 1 ] || fail "fix"
has "$tmp/out" '[0-9]+ fixed, [0-9]+ left as found\.'
has "$tmp/out" '^Back: virt-warden undo web1$'
stored_has web1 "bus='virtio'"
stored_has web1 "cache='none'"
stored_has web1 "passwd='s3kret'"
cp "$tmp/xml" "$tmp/version2.xml"
on virt-warden fix --quiet web1 || [ $? = 1 ] || fail "fix"
on virt-warden check --json web1 >"$tmp/out" || [ $? = 1 ] || fail "check"
jq -e '[.domains[0].findings[] | select(.action == "fix")] == []' "$tmp/out" >/dev/null || fail "something is left to fix"
# A fix of a fix does nothing and keeps nothing.
before=$(versions $uuid)
[ "$before" -ge 2 ] && [ "$before" -le 3 ] || fail "$before versions"
stored web1 && cp "$tmp/xml" "$tmp/fixed.xml"
on virt-warden fix --quiet web1 || [ $? = 1 ] || fail "fix"
stored web1
cmp "$tmp/xml" "$tmp/fixed.xml" || fail "a fix of a fix changes something"
[ "$(versions $uuid)" = "$before" ] || fail "a fix that did nothing was kept"

# history: the table, one version's text, what a version changed, JSON.
run 0 w history web1
has "$tmp/out" '^1 .*[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}[+-][0-9]{4}  seen   '
has "$tmp/out" '^2 .* fix    root@virt-warden\[[0-9]+\] .*disk-cache'
run 0 w history web1 --print 1
diff -B "$tmp/out" "$tmp/before.xml" || fail "version 1 is not what was there"
run 0 w history web1 --diff 2
cp "$tmp/out" "$tmp/diff"
cp "$tmp/before.xml" "$tmp/patched.xml"
patch -s "$tmp/patched.xml" "$tmp/diff"
cmp "$tmp/patched.xml" "$tmp/version2.xml" || fail "history --diff leads elsewhere"
run 0 w history --json web1
jq -e --arg u $uuid '.version == 1 and .domain == "web1" and .uuid == $u and (.versions | length >= 2)
	and .versions[1].cause == "fix" and (.versions[1].rules | index("disk-bus") != null)
	and .versions[0].size > 100' "$tmp/out" >/dev/null || fail "JSON"
run 3 w history web1 --print 9
run 3 w history nosuch

# os: stored where others look for it; what stands beside it in the metadata stays.
run 0 w os detect web1
has "$tmp/out" '^debian11 .*source: metadata, confidence: '
run 0 w os set web1 fedora36
stored_has web1 'http://fedoraproject.org/fedora/36'
stored_hasnt web1 'debian'
run 0 on "$real" metadata web1 http://libosinfo.org/xmlns/libvirt/domain/1.0 --config
has "$tmp/out" 'os id="http://fedoraproject.org/fedora/36"'
run 2 w os set web1 nosuchos
stored_has web1 'fedora/36'
run 0 w os set web1 debian11
run 0 w os detect --json web1
jq -e '.os == {"id": "http://debian.org/debian/11", "source": "metadata", "confidence": .os.confidence}' "$tmp/out" >/dev/null ||
	fail "JSON of os detect"
# Each change was kept.
[ "$(versions $uuid)" -ge 4 ] || fail "os set kept nothing"

# mode: shown, set, kept beside health probes that it does not know; a skip is respected.
on "$real" metadata web1 urn:virt-warden:domain:1 --config --key w \
	--set '<warden><health><probe type="tcp" port="22"/></health></warden>' >"$tmp/out"
run 0 w mode web1
[ "$(cat "$tmp/out")" = "web1: mode enforce (by default)" ] || fail "mode"
run 0 w mode web1 audit --skip balloon --skip rng
[ "$(cat "$tmp/out")" = "web1: mode audit; skips balloon rng" ] || fail "mode"
stored_has web1 "<w:skip rule=.balloon./>"
stored_has web1 "<w:probe type=.tcp. port=.22./>"
[ "$(grep -c '<w:warden' "$tmp/xml")" = 1 ] || fail "more than one element"
run 0 w mode web1 --unskip rng --skip balloon
[ "$(cat "$tmp/out")" = "web1: mode audit; skips balloon" ] || fail "mode"
run 0 w mode --json web1
jq -e '. == {"version": 1, "domain": "web1", "uuid": .uuid, "mode": "audit", "skip": ["balloon"]}' "$tmp/out" >/dev/null ||
	fail "JSON of mode"
run 2 w mode web1 sometimes

# A running guest: what is changed waits for a cold boot, and that is said; the mode is in both.
on "$real" start web1 >/dev/null
run 0 w mode web1 enforce --unskip balloon
for where in --live --config; do
	run 0 on "$real" metadata web1 urn:virt-warden:domain:1 $where
	has "$tmp/out" 'mode=.enforce.'
done
generic web2 >"$tmp/web2.xml"
run 0 on "$real" define "$tmp/web2.xml"
on "$real" start web2 >/dev/null
run 1 w fix web2
has "$tmp/out" 'next cold boot'
stored_has web2 "cache='none'"
on "$real" dumpxml web2 >"$tmp/live.xml"
hasnt "$tmp/live.xml" "cache='none'"
run 1 w check "$(on "$real" domid web2)"
has "$tmp/out" '^web2 '
for d in web1 web2; do on "$real" destroy $d >/dev/null; done

# Mode off: not even fix.
run 0 w mode web2 off
stored web2 && cp "$tmp/xml" "$tmp/off.xml"
run 0 w fix web2 --allow boot,visible
stored web2
cmp "$tmp/xml" "$tmp/off.xml" || fail "mode off was fixed"

# What can't be kept is not changed.
run 0 w mode web2 enforce
on sh -c 'rm -rf /var/lib/virt-warden/history; mkdir -p /var/lib/virt-warden; : >/var/lib/virt-warden/history'
stored web2 && cp "$tmp/xml" "$tmp/kept.xml"
for verb in "fix web2 --allow boot,visible" "os set web2 fedora36" "mode web2 audit"; do
	# shellcheck disable=SC2086  # several words are wanted
	run 3 w $verb
	has "$tmp/err" 'history'
	stored web2
	cmp "$tmp/xml" "$tmp/kept.xml" || fail "changed although it can't be kept: $verb"
done

# A board without rules: exit 3, and what was judged, in JSON, too.
no_pci="<controller type='usb' model='none'/><memballoon model='none'/>"
generic micro | sed "s,arch='x86_64',& machine='microvm',; s,<target dev='hda' bus='ide'/>,<target dev='vda' bus='virtio'/><address type='virtio-mmio'/>,; /<interface/,/<.interface/d; s,<graphics.*,$no_pci," >"$tmp/micro.xml"
run 0 on "$real" define "$tmp/micro.xml"
run 3 w check micro
has "$tmp/out" 'pc and q35 only, not microvm'
run 3 w check --json micro
jq -e '.domains[0] | .judged == "host" and (.unjudged | test("microvm")) and
	([.findings[] | select(.class != "host")] | length == 0)' "$tmp/out" >/dev/null || fail "JSON of what is not judged"
run 0 on "$real" undefine micro

# A machine type that is not offered here: said, and nothing can be fixed, for libvirt takes no change of it.
for machine in rhel6.5.0 pc-q35-99.1; do
	generic gone | sed "s,arch='x86_64',& machine='$machine',; s,hda' bus='ide,vda' bus='virtio," >"$tmp/gone.xml"
	run 3 w -c qemu:///system check "$tmp/gone.xml"
	has "$tmp/out" "this host has no machine type $machine"
	has "$tmp/out" '^  machine +domain .* skip/'
	has "$tmp/out" '0 can be fixed now'
	run 3 w -c qemu:///system check --json "$tmp/gone.xml"
	jq -e '.domains[0] | .judged == "host" and ([.findings[] | select(.action == "fix")] | length == 0)' "$tmp/out" >/dev/null ||
		fail "a machine that is not there can be fixed"
	run 1 on virsh define "$tmp/gone.xml"
	has "$tmp/err" "^error: .*does not support machine type '$machine'"
done
