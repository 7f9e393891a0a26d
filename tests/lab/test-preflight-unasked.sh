#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# preflight where a host can't be asked: not there, not listening, silent, stopped, closed to us, too old,
# or a facts file that is no good: the verdict is unknown, exit 3, within 10 s a host, and it says why.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

need socat jq
lab_begin
"$lab" up >/dev/null
uri=$("$lab" uri beta)
warden=$VW_BUILD/virt-warden

cat >"$work/web.xml" <<-END
	<domain type='qemu'><name>web</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
	<os><type arch='x86_64' machine='q35'>hvm</type></os><cpu mode='host-model'/>
	<devices><disk type='file' device='cdrom'><source file='$work/some.iso'/><target dev='sda' bus='sata'/>
	<readonly/></disk><interface type='network'><source network='default'/></interface></devices></domain>
END
truncate -s 1M "$work/some.iso"
"$lab" exec alpha /usr/bin/virsh -q -c qemu:///system create "$work/web.xml"

# ask ARGUMENT…: preflight; leaves $status, $took (seconds), $got (the verdict).
ask()
{
	local begin=$EPOCHREALTIME
	status=0
	"$lab" exec alpha timeout 30 "$warden" --json preflight "$@" >"$work/json" 2>"$work/err" || status=$?
	took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
	got=$(jq -r '.directions[0].verdict' "$work/json" 2>/dev/null) || got=none
}

# unasked WHAT REGEX ARGUMENT…: preflight ARGUMENT… is unknown, because of REGEX. $verdict, $exit: else.
unasked()
{
	local what=$1 regex=$2
	shift 2
	for _ in 1 2 3; do # the best of three: the machine may be busy
		ask "$@"
		! awk -v t="$took" 'BEGIN { exit !(t <= 10) }' || break
	done
	printf '%-22s %-8s exit %d  %4s s  %s\n' "$what" "$got" "$status" "$took" "$(head -n 1 "$work/err")"
	awk -v t="$took" 'BEGIN { exit !(t <= 10) }' || fail "$what: $took s"
	[ "$status" = "${exit-3}" ] || fail "$what: exit $status"
	[ "$got" = "${verdict-unknown}" ] || fail "$what: verdict $got"
	grep -Eq "$regex" "$work/err" "$work/json" || fail "$what: does not say why: $(<"$work/err") $(<"$work/json")"
}
from() { unasked "$1" "$2" -c qemu:///system web "${@:3}"; }

verdict=ok exit=0 from 'all well' '"ok"' "$uri"

# Not there, nobody listens, no such name, nothing that speaks libvirt.
from 'no such host' 'No route to host|no answer' qemu+tcp://10.77.0.99/system
from 'nobody listens' 'Connection refused' qemu+tcp://10.77.0.2:1/system
from 'no such name' 'Name or service not known|name resolution|resolve' qemu+tcp://nowhere.invalid/system
from 'no such URI' 'URI|driver|scheme|certificate' nonsense://beta/system
"$lab" exec beta setsid -f socat TCP-LISTEN:7777,bind=10.77.0.2,fork,reuseaddr SYSTEM:'sleep 100' >/dev/null 2>&1 </dev/null
sleep 0.5
from 'silent server' 'no answer within' qemu+tcp://10.77.0.2:7777/system
"$lab" exec beta setsid -f socat TCP-LISTEN:7778,bind=10.77.0.2,fork,reuseaddr SYSTEM:'yes' >/dev/null 2>&1 </dev/null
sleep 0.5
from 'server of rubbish' 'packet|answer|closed|Cannot' qemu+tcp://10.77.0.2:7778/system

# A libvirtd that stands still, over there and here.
pid=$("$lab" exec beta cat /run/libvirtd.pid)
"$lab" exec beta kill -STOP "$pid"
from 'stopped libvirtd' 'no answer within' "$uri"
"$lab" exec beta kill -CONT "$pid"
pid=$("$lab" exec alpha cat /run/libvirtd.pid)
"$lab" exec alpha kill -STOP "$pid"
verdict=null from 'stopped source' 'no answer within' "$uri"
"$lab" exec alpha kill -CONT "$pid"

# It may be one that lets nobody in: then lab restart would wait for it.
new_libvirtd()
{
	local old
	old=$("$lab" exec beta cat /run/libvirtd.pid)
	"$lab" exec beta kill -TERM "$old"
	for _ in {1..100}; do
		sleep 0.1
		[ "$("$lab" exec beta cat /run/libvirtd.pid 2>/dev/null)" != "$old" ] &&
			"$lab" exec beta ss -Hltn 'sport = :16509' | grep -q : && return 0
	done
	fail "no new libvirtd on beta"
}

# Closed to us: a login that we do not have; a connection that may only read (no file can be looked for).
conf=$("$lab" path beta /etc/libvirt/libvirtd.conf)
sed -i 's/^auth_tcp = .*/auth_tcp = "sasl"/' "$conf"
"$lab" restart beta
from 'login wanted' 'uthentication|SASL|sasl' "$uri"
sed -i 's/^auth_tcp = .*/auth_tcp = "none"/; $ a access_drivers = [ "polkit" ]' "$conf"
new_libvirtd
from 'access driver' 'access denied|authenticat|polkit|D-Bus|dbus|authorization|error' "$uri"
sed -i '/^access_drivers/d' "$conf"
new_libvirtd
"$lab" exec beta setsid -f socat TCP-LISTEN:7779,bind=10.77.0.2,fork,reuseaddr UNIX-CONNECT:/run/libvirt/libvirt-sock-ro >/dev/null 2>&1 </dev/null
sleep 0.5
from 'read-only' 'could not be asked for the file' qemu+tcp://10.77.0.2:7779/system

# Facts in place of hosts: of an old libvirt, of a newer virt-warden, cut off.
"$lab" exec beta "$warden" facts qemu:///system >"$work/beta.json"
unasked 'facts, the ISO unseen' 'could not be asked for the file' -c qemu:///system web "$work/beta.json"
jq '.libvirt = 4000000 | .uuid = "4" | .qemu = 2011001 | .virts[].features = [] | .unasked += ["cpu: this function is not supported"]' \
	"$work/beta.json" >"$work/old.json"
cat >"$work/plain.xml" <<-END
	<domain type='qemu'><name>plain</name><os><type machine='q35'>hvm</type></os><cpu mode='host-model'/></domain>
END
unasked 'old libvirt' 'too old' -c "$work/beta.json" "$work/plain.xml" "$work/old.json"
jq '.version = 99' "$work/beta.json" >"$work/newer.json"
from 'newer facts' 'newer virt-warden' "$work/newer.json"
head -c 2000 "$work/beta.json" >"$work/cut.json"
from 'cut facts' 'no JSON' "$work/cut.json"
verdict=ok exit=0 from 'all well again' '"ok"' "$uri"
