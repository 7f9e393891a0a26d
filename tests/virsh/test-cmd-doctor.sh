#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# doctor: sound where all is installed; each thing broken in turn is named, with its remedy.
# timeout: 180
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

# In the lab the state is the host's own; the installed hook is a copy of the built one.
# shellcheck disable=SC2120 # mostly without an option
doctor() { on env VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" virt-warden doctor "$@"; }
hook=/etc/libvirt/hooks/qemu.d/virt-warden
check() { # check NAME STATUS [TEXT]: what doctor said, in $tmp/out
	has "$tmp/out" "^$1 +$2  .*${3-}"
}

on sh -c "rm -rf /var/lib/virt-warden; mkdir -p ${hook%/*}; install -m 0755 '$VW_BUILD/hook' $hook
	install -m 0644 '$VW_BUILD/virt-warden-hook.so' ${hook%/*}"
sleep 2 # times of processes are whole seconds
"$top/tests/lab/lab" restart alpha
run 0 doctor
for name in config templates os-index state libvirt wrapper preload hook hook-seen security; do check $name pass; done
# No agent runs here, and that is said.
grep -v '^agent ' "$tmp/out" >"$tmp/rest"
hasnt "$tmp/rest" 'Remedy'
check libvirt pass 'libvirt [0-9]+\.[0-9]+\.[0-9]+'
check agent '(skip|pass|warn)'
run 0 doctor --json
jq -e '.version == 1 and ([.checks[] | select(.status == "fail")] == []) and
	([.checks[].check] | index("hook-seen") != null) and (.checks[0] | keys == ["check", "detail", "remedy", "status"])' \
	"$tmp/out" >/dev/null || fail "JSON"
run 0 doctor --quiet
hasnt "$tmp/out" '^[a-z-]+ +pass '

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
on install -m 0755 "$VW_BUILD/hook" $hook
on rm ${hook%/*}/virt-warden-hook.so
broken hook 'virt-warden-hook.so'
on install -m 0644 "$VW_BUILD/virt-warden-hook.so" ${hook%/*}
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

# Permissions: who may write the hook or the config is root.
on chmod 775 $hook
broken hook 'others than root may write it \(mode 0775\)'
on chmod 755 $hook
echo '[policy]' >"$tmp/warden.conf"
chmod 666 "$tmp/warden.conf"
run 1 doctor
check config fail "$tmp/warden.conf is not used by root, for everybody could change it: chmod go-w $tmp/warden.conf.*Remedy: "
rm "$tmp/warden.conf"
mkdir -m 777 "$tmp/templates.d"
broken templates "$tmp/templates.d is not used by root, for everybody could change it"
rmdir "$tmp/templates.d"

# SELinux, AppArmor: as a fake /sys tells, and libvirtd's profile.
mkdir -p "$tmp/root/sys/fs/selinux" "$tmp/root/sys/module/apparmor/parameters" "$tmp/root/etc/apparmor.d/local"
rooted() { on env VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" VIRT_WARDEN_SYSROOT="$tmp/root" virt-warden doctor; }
echo 1 >"$tmp/root/sys/fs/selinux/enforce"
run 0 rooted
check security pass 'SELinux enforces.*restorecon'
echo 0 >"$tmp/root/sys/fs/selinux/enforce"
run 0 rooted
check security pass 'neither'
echo Y >"$tmp/root/sys/module/apparmor/parameters/enabled"
run 0 rooted
check security pass 'AppArmor is on'
printf 'profile libvirtd {\n  # /etc/libvirt/hooks/** rmix,\n}\n' >"$tmp/root/etc/apparmor.d/usr.sbin.libvirtd"
run 1 rooted
check security fail 'does not let it run hooks.*Remedy: add the line'
echo '  /etc/libvirt/hooks/** rmix,' >"$tmp/root/etc/apparmor.d/local/usr.sbin.libvirtd"
run 0 rooted
check security pass 'AppArmor is on'

# The agent: runs and is connected; libvirtd gone; tells nothing.
on "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" >"$tmp/agent.log" 2>&1 &
# shellcheck disable=SC2119
run_doctor() { doctor >"$tmp/out" 2>"$tmp/err" || true; }
agent_says() { # agent_says STATUS TEXT: within some seconds
	for _ in $(seq 50); do
		run_doctor
		! grep -qE "^agent +$1  .*$2" "$tmp/out" || return 0
		sleep 0.2
	done
	fail "doctor does not say '$1 $2' of the agent: $(cat "$tmp/agent.log")"
}
agent_says pass 'runs \(pid [0-9]+\), 1 of 1 libvirt connected'
# shellcheck disable=SC2016  # the host's own variable is meant
on sh -c 'mv "$VIRT_WARDEN_STATEDIR/run/agent" "$VIRT_WARDEN_STATEDIR/run/kept" 2>/dev/null || mv /run/virt-warden/agent /run/virt-warden/kept'
run_doctor
check agent warn 'tells nothing.*Remedy: systemctl restart'
# shellcheck disable=SC2016
on sh -c 'mv "$VIRT_WARDEN_STATEDIR/run/kept" "$VIRT_WARDEN_STATEDIR/run/agent" 2>/dev/null || mv /run/virt-warden/kept /run/virt-warden/agent'
on env VIRT_WARDEN_STATEDIR=/var/lib/other "$VW_BUILD/virt-wardend" --foreground -c nosuch:/// --pidfile "$tmp/other.pid" >"$tmp/other.log" 2>&1 &
for _ in $(seq 50); do [ -s "$tmp/other.pid" ] && break || sleep 0.1; done
on kill "$(cat "$tmp/agent.pid")"
alone() { on env VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" VIRT_WARDEN_STATEDIR=/var/lib/other virt-warden doctor; }
for _ in $(seq 50); do
	alone >"$tmp/out" 2>"$tmp/err" || true
	! grep -qE '^agent +warn  .*0 of 1 libvirt connected' "$tmp/out" || break
	sleep 0.2
done
check agent warn '0 of 1 libvirt connected.*Remedy: see that libvirtd runs'
on kill "$(cat "$tmp/other.pid")"
for _ in $(seq 50); do [ -e "$tmp/other.pid" ] && sleep 0.1 || break; done

# The wrapper: another virsh comes first, none at all.
run 1 on env PATH=/usr/bin:/bin VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" "$VW_BUILD/virt-warden" doctor
check wrapper fail '/usr/bin/virsh, not our wrapper'
run 1 on env PATH=/nonexistent VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" "$VW_BUILD/virt-warden" doctor
check wrapper fail 'no virsh on PATH'

# State: open to all, no directory. (Where the environment names the place, that is refused: lib.sh's.)
doctor() { on env -u VIRT_WARDEN_STATEDIR VIRT_WARDEN_CACHEDIR="$VIRT_WARDEN_CACHEDIR" virt-warden doctor; }
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

# Older than osinfo-db, to which the admin has added something, and not to be rebuilt.
cp "$VIRT_WARDEN_CACHEDIR/os.index" "$tmp/cache/os.index"
on mkdir -p /etc/osinfo/os/example.org
on env VIRT_WARDEN_CACHEDIR="$tmp/cache" "$tmp/bin/virt-warden" doctor >"$tmp/out" || true
check os-index warn 'older than osinfo-db'
on rm -r /etc/osinfo

# The preload library: not a library; no libvirt: two checks of their own.
echo rubbish >"$tmp/bin/virsh-warden.so"
run 1 on "$tmp/bin/virt-warden" doctor
check preload fail 'virsh-warden.so'
LIBVIRT_DEFAULT_URI=nosuch:/// run 1 doctor -c nosuch:///
check libvirt fail
