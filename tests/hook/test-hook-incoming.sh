#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# migrate and restore: the caches follow the policy and nothing else changes; stdout is
# empty when nothing changed; what came in is kept first, or nothing is changed.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

img=$(image a.img)
mkdir "$tmp/mnt-ramfs"
mount -t ramfs ramfs "$tmp/mnt-ramfs"
truncate -s 1M "$tmp/mnt-ramfs/b.img"
history=$tmp/state/history/$uuid

kept() { find "$history" -name '*.xml' 2>/dev/null | sort; }

mixed=$(
	disk vda "io='native' discard='unmap'" "file='$img'"
	disk vdb "cache='unsafe'" "file='$img'"
	disk vdc "cache='directsync'" "file='$img'"
	disk vdd "" "file='$tmp/mnt-ramfs/b.img'"
	disk vde "" "file='/nonexistent-directory/c.img'"
	disk vdf "" "file='$tmp/not-yet-there.img'"
	disk vdg "" "protocol='rbd' name='p/i'" network
	disk vdh "" "file='$img'" file "<readonly/>"
	printf "    <disk type='file'>\n      <source file='%s'/>\n      <target dev='vdi'/>\n    </disk>\n" "$img"
)
# What no rule names must come through as it is: comments, entities, quotes, foreign elements.
foreign='<app:x xmlns:app="urn:x" a="1 &amp; 2"><!-- c --><![CDATA[<]]></app:x>'

for op in migrate restore; do
	rm -rf "$tmp/state"
	domain "$mixed" "$foreign" >"$tmp/in"
	run_hook "$op" <"$tmp/in"
	expect_status 0
	expect stderr "$(cat "$tmp/err")" ""
	expect "difference" "$(diff "$tmp/in" "$tmp/out" || true)" "9c9
<       <driver name='qemu' type='raw' io='native' discard='unmap'/>
---
>       <driver name='qemu' type='raw' io='native' discard='unmap' cache='none'/>
14c14
<       <driver name='qemu' type='raw' cache='unsafe'/>
---
>       <driver name='qemu' type='raw' cache='none'/>
34c34
<       <driver name='qemu' type='raw'/>
---
>       <driver name='qemu' type='raw' cache='none'/>
50a51
>       <driver name='qemu' cache='none'/>"
	expect findings "$(findings)" "vda default none fix
vdb unsafe none fix
vdd default none skip
vde default none skip
vdf default none fix
vdg default none skip
vdi default none fix"
	expect_log 'device="vde".*its directory is not there'
	# What came in is kept, byte for byte.
	expect "versions kept" "$(kept | wc -l)" 1
	cmp -n "$(stat -c %s "$tmp/in")" "$tmp/in" "$(kept)" || die "what was kept differs"
	grep -q 'cause=hook.*rules=disk-cache' "$(kept)" || die "why it was kept is not said"

	# The result is as it should be: nothing more to change.
	cp "$tmp/out" "$tmp/in"
	run_hook "$op" <"$tmp/in"
	expect_status 0
	expect_silent
done

# Nothing to change: stdout is empty, not even a newline, and nothing is kept.
rm -rf "$tmp/state"
run_hook migrate < <(domain "$(disk vda "cache='none'" "file='$img'")")
expect_silent
expect_no_log
expect "versions kept" "$(kept)" ""

# Nothing can be kept: nothing is changed, and that is said.
wrong=$(disk vda "" "file='$img'")
mkdir -p "$tmp/state"
echo >"$tmp/state/history"
run_hook migrate < <(domain "$wrong")
expect_status 0
expect_silent
expect_log "op=migrate uuid=$uuid: nothing was changed: "
rm "$tmp/state/history"
run_hook migrate < <(domain "$wrong" '' web1 'no-uuid')
expect_status 0
expect_silent
expect_log 'op=migrate uuid=-: nothing was changed: '

# The policy chooses the cache; io='native' would be refused with a cache.
policy '[cache]' 'allowed = writethrough'
run_hook migrate < <(domain "$(disk vda "cache='none' io='native'" "file='$img'")")
expect driver "$(grep '<driver' "$tmp/out")" "      <driver name='qemu' type='raw' cache='writethrough'/>"

# define = off is about defining: what comes in is a matter of [cache].
policy '[policy]' 'define = off' 'start = off' 'migrate = off'
run_hook migrate < <(domain "$wrong")
expect driver "$(grep '<driver' "$tmp/out")" "      <driver name='qemu' type='raw' cache='none'/>"

# A reader that goes away: no signal, no noise.
policy
domain "$wrong" >"$tmp/in"
{ "$hook" web1 migrate begin - <"$tmp/in"; echo $? >"$tmp/status"; } | true
expect "status" "$(cat "$tmp/status")" 0
echo ok
