#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor: sound where all is installed; each thing broken in turn is named, with its remedy.
# timeout: 180
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

# In the lab the state is the host's own; the installed hook is a copy of the built one.
doctor() { on env VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" virt-warden doctor "$@"; }
hook=/etc/libvirt/hooks/qemu.d/virt-warden
check() { # check NAME STATUS [TEXT]: what doctor said, in $tmp/out
	has "$tmp/out" "^$1 +$2  .*${3-}"
}

on sh -c "rm -rf /var/lib/virt-warden; mkdir -p ${hook%/*}; install -m 0755 '$VW_BUILD/hook' $hook"
sleep 2 # times of processes are whole seconds
"$top/tests/lab/lab" restart alpha
run 0 doctor
for name in config templates os-index state libvirt wrapper preload hook hook-seen security; do check $name pass; done
hasnt "$tmp/out" 'Remedy'
check libvirt pass 'libvirt [0-9]+\.[0-9]+\.[0-9]+'
check agent '(skip|pass|warn)'
run 0 doctor --json
jq -e '.version == 1 and ([.checks[] | select(.status == "fail")] == []) and
	([.checks[].check] | index("hook-seen") != null) and (.checks[0] | keys == ["check", "detail", "remedy", "status"])' \
	"$tmp/out" >/dev/null || fail "JSON"
run 0 doctor --quiet
hasnt "$tmp/out" ' pass '

# broken NAME TEXT: doctor exits 1, names the check and has a remedy
broken() {
	run 1 doctor
	check "$1" fail "$2"
	has "$tmp/out" "^$1 .*Remedy: "
	[ "$(grep -c ' fail ' "$tmp/out")" = 1 ] || fail "more than one check failed"
}

# The config: file, line, key. Everything else is still examined.
printf '[policy]\ndefine = maybe\n' >"$tmp/warden.conf"
run 1 doctor
check config fail "$tmp/warden.conf:2: .*define"
check wrapper pass
rm "$tmp/warden.conf"

# Templates of the admin: one that is not well-formed, one that is against the schema.
mkdir "$tmp/templates.d"
printf '<?xml version="1.0"?>\n<template version="1" id="mine">\n  <nonsense/>\n</template>\n' >"$tmp/templates.d/mine.xml"
broken templates "templates.d/mine.xml:3: "
printf '<template\n' >"$tmp/templates.d/mine.xml"
broken templates "templates.d/mine.xml:[12]: "
printf '<?xml version="1.0"?>\n<template version="1" id="mine" extends="nosuch">\n  <title>x</title>\n</template>\n' \
	>"$tmp/templates.d/mine.xml"
run 1 doctor
check templates fail "mine.xml"
rm -r "$tmp/templates.d"

# The hook: not there, not executable, not seen.
on chmod 644 $hook
broken hook 'not executable'
on rm $hook
broken hook 'not there'
check hook-seen skip
on sh -c "echo '#!/bin/sh' >$hook; chmod 755 $hook"
broken hook 'not ours'
on rm $hook
"$top/tests/lab/lab" restart alpha
sleep 2
on install -m 0755 "$VW_BUILD/hook" $hook
run 0 doctor
check hook pass
check hook-seen warn 'reload libvirtd, or kill -HUP [0-9]+'
# shellcheck disable=SC2016  # the host's own variable is meant
on sh -c 'mkdir -p "$VIRT_WARDEN_STATEDIR/run" /run/virt-warden
	touch "$VIRT_WARDEN_STATEDIR/run/hook-reloaded" /run/virt-warden/hook-reloaded'
run 0 doctor
check hook-seen pass 'reloaded since'

# The wrapper: another virsh comes first, none at all.
run 1 on env PATH=/usr/bin:/bin VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" "$VW_BUILD/virt-warden" doctor
check wrapper fail '/usr/bin/virsh, not our wrapper'
run 1 on env PATH=/nonexistent VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" "$VW_BUILD/virt-warden" doctor
check wrapper fail 'no virsh on PATH'

# State: open to all, no directory.
on sh -c 'mkdir -p /var/lib/virt-warden; chmod 777 /var/lib/virt-warden'
broken state 'mode 0777'
on sh -c 'chmod 755 /var/lib/virt-warden'
run 0 doctor
check state warn 'mode 0755'
on sh -c 'rm -rf /var/lib/virt-warden; : >/var/lib/virt-warden'
broken state "can't be used"
on rm /var/lib/virt-warden

# The index: corrupt and not to be rebuilt, missing.
mkdir "$tmp/cache"
echo rubbish >"$tmp/cache/os.index"
printf '#!/bin/sh\nexit 1\n' >"$tmp/osinfo"
mkdir "$tmp/bin"
cp "$VW_BUILD/virt-warden" "$VW_BUILD/virsh-warden.so" "$tmp/bin/"
install -m 0755 "$tmp/osinfo" "$tmp/bin/virt-warden-osinfo"
run 1 on env VIRT_WARDEN_CACHEDIR="$tmp/cache" "$tmp/bin/virt-warden" doctor
check os-index fail "$tmp/cache/os.index"
rm "$tmp/cache/os.index"
run 1 on env VIRT_WARDEN_CACHEDIR="$tmp/cache" "$tmp/bin/virt-warden" doctor
check os-index fail "$tmp/cache/os.index"

# The preload library: not a library; no libvirt: two checks of their own.
echo rubbish >"$tmp/bin/virsh-warden.so"
run 1 on "$tmp/bin/virt-warden" doctor
check preload fail 'virsh-warden.so'
LIBVIRT_DEFAULT_URI=nosuch:/// run 1 doctor -c nosuch:///
check libvirt fail
