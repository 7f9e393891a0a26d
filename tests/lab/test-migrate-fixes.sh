#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What a migration mends, and what makes it possible, between two hosts of which one has an older CPU:
# a guest that was defined with the pool's baseline goes there and back, one with host-model does not; a
# running guest gets rid of its cached disk by one live migration, and its stored config follows.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
lab_own_config
"$lab" up --asymmetric >/dev/null
to_beta=$("$lab" uri beta) to_alpha=$("$lab" uri alpha)

ours() { "$lab" exec "$1" "$VW_BUILD/virsh" -c qemu:///system "${@:2}"; }
warden() { "$lab" exec "$1" "$VW_BUILD/virt-warden" -c qemu:///system "${@:2}"; }
real() { "$lab" exec "$1" /usr/bin/virsh -q -c qemu:///system "${@:2}"; }
xml_has() # xml_has HOST NAME REGEX [--inactive]
{
	real "$1" dumpxml "$2" ${4+"$4"} >"$work/got.xml" 2>/dev/null && grep -Eq "$3" "$work/got.xml"
}
eventually() # within 20 s
{
	local end=$((SECONDS + 20))
	until "$@"; do
		[ $SECONDS -lt $end ] || fail "never true: $* ($(cat "$work/got.xml" "$work/agent.log" 2>/dev/null | tail -n 40))"
		sleep 0.2
	done
}

# generic NAME [CPU]: what people write, on a blank LUN.
generic()
{
	local disk
	truncate -s 8M "$work/$1.img"
	disk=$("$lab" loop "$work/$1.img")
	cat <<-END
		<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
		<metadata><libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>
		<libosinfo:os id='http://debian.org/debian/12'/></libosinfo:libosinfo></metadata>
		<os><type arch='x86_64'>hvm</type></os>${2-}
		<devices><disk type='block' device='disk'><driver name='qemu' type='raw'/>
		<source dev='$disk'/><target dev='hda' bus='ide'/></disk></devices></domain>
	END
}

# --- the pool's baseline ------------------------------------------------------------------------------
warden alpha matrix --baseline "$to_alpha" "$to_beta" >"$work/baseline.xml" 2>"$work/losses"
grep -q 'alpha loses aes,pclmuldq' "$work/losses" || fail "losses: $(<"$work/losses")"
grep -q 'baseline = /etc/virt-warden/baseline.xml' "$work/losses" || fail "no line for warden.conf"
! grep -q "'aes'" "$work/baseline.xml" || fail "the baseline has aes, which beta lacks"

printf '[policy]\nverify = off\n' >"$VIRT_WARDEN_CONF"
generic modelled "<cpu mode='host-model'/>" >"$work/modelled.xml"
ours alpha -q define "$work/modelled.xml"
xml_has alpha modelled "mode='host-model'" || fail "without a baseline: $(<"$work/got.xml")"
real alpha start modelled
status=0
ours alpha migrate --live modelled "$to_beta" >/dev/null 2>"$work/err" || status=$?
[ $status = 1 ] && grep -q 'cpu-features.*aes' "$work/err" || fail "host-model to beta: $(<"$work/err")"
! grep -q 'and back' "$work/err" || fail "from beta it would come to alpha: $(<"$work/err")"

printf '[cpu]\nbaseline = %s\n[policy]\nverify = off\nmigrate = enforce\n' "$work/baseline.xml" >"$VIRT_WARDEN_CONF"
number=0
for cpu in "" "<cpu mode='host-model'/>" "<cpu><topology sockets='1' cores='1' threads='1'/></cpu>"; do
	name=based$((number += 1))
	generic $name "$cpu" >"$work/$name.xml"
	ours alpha -q define "$work/$name.xml"
	xml_has alpha $name "<model fallback='forbid'>" || fail "$name: $(<"$work/got.xml")"
	[ $number -lt 3 ] || grep -q '<topology' "$work/got.xml" || fail "the topology is gone"
	warden alpha check $name >"$work/check" || fail "$name again: $(<"$work/check")"
done
real alpha start based1
ours alpha migrate --live based1 "$to_beta" 2>"$work/err" || fail "based1 to beta: $(<"$work/err")"
ours beta migrate --live based1 "$to_alpha" 2>>"$work/err" || fail "based1 back: $(<"$work/err")"
ours alpha migrate --live based1 "$to_beta" 2>>"$work/err" || fail "based1 to beta again: $(<"$work/err")"
[ ! -s "$work/err" ] || fail "something was said: $(<"$work/err")"
echo "with the baseline: alpha -> beta -> alpha -> beta"
generic whole "<cpu mode='maximum'/>" >"$work/whole.xml"
ours alpha define "$work/whole.xml" >/dev/null 2>&1
xml_has alpha whole "mode='maximum'" || fail "what was chosen by hand is gone"
warden alpha check whole >"$work/check" || true
grep -q 'cpu-mode.*baseline' "$work/check" || fail "whole: $(<"$work/check")"

# --- caches -----------------------------------------------------------------------------------------------
printf '[policy]\nverify = off\n' >"$VIRT_WARDEN_CONF"
hooks=$("$lab" path beta /etc/libvirt/hooks)/qemu.d
mkdir -p "$hooks"
install -m 755 "$VW_BUILD/hook" "$hooks/virt-warden"
install -m 644 "$VW_BUILD/virt-warden-hook.so" "$hooks"
"$lab" reload beta
"$lab" exec beta "$VW_BUILD/virt-wardend" --foreground --pidfile "$work/agent.pid" >"$work/agent.log" 2>&1 &
console=$("$lab" guest cached --cpu Nehalem --disk block --cache writeback)
warden alpha check cached >"$work/check" || true
grep -q 'runs with the cache of vda (writeback): one live migration' "$work/check" || fail "check: $(<"$work/check")"
xml_has alpha cached "cache='writeback'" || fail "the guest is not what it should be"
ours alpha migrate --live --persistent cached "$to_beta" 2>"$work/err" || fail "cached: $(<"$work/err")"
grep -q 'cached: alpha .* beta: risk' "$work/err" || fail "the cache was not named: $(<"$work/err")"
xml_has beta cached "cache='none'" || fail "the running guest has its disk cached: $(<"$work/got.xml")"
real beta qemu-monitor-command cached --hmp 'info block' >"$work/got.xml"
grep -q 'Cache mode:.*writeback, direct' "$work/got.xml" || fail "QEMU: $(<"$work/got.xml")"
ticks=$(grep -c tick= "$console")
more_ticks() { [ "$(grep -c tick= "$console")" -gt "$ticks" ]; }
eventually more_ticks
eventually xml_has beta cached "cache='none'" --inactive
! grep -q writeback "$work/got.xml" || fail "the stored config still caches"
warden beta check cached >"$work/check" || true
! grep -q 'runs with the cache' "$work/check" || fail "check, afterwards: $(<"$work/check")"
echo "cached on alpha, not on beta: live, and in its config"
