#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh migrate through the front-end, between two hosts, against the plain virsh: what is said and when,
# what the policy refuses, that options, progress, errors and exit codes are as before.
# timeout: 300
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

lab_begin
lab_own_config
"$lab" up --hosts alpha,beta >/dev/null
images=/var/lib/libvirt/images
for host in alpha beta; do
	"$lab" exec $host mkdir -p $images
	"$lab" exec $host truncate -s 8M $images/local.img
done
truncate -s 8M "$work/lun"
lun=$("$lab" loop "$work/lun")
to_beta=$("$lab" uri beta) to_alpha=$("$lab" uri alpha)

policy() { printf '[policy]\nmigrate = %s\nverify = off\n' "$1" >"$VIRT_WARDEN_CONF"; }

# plain HOST …, ours HOST …: both virshs; what they print goes to $work/{out,err}, $status is the exit code.
run_virsh()
{
	local host=$1
	shift
	status=0
	"$lab" exec "$host" "$@" >"$work/out" 2>"$work/err" </dev/null || status=$?
}
plain() { run_virsh "$1" /usr/bin/virsh -c qemu:///system "${@:2}"; }
ours() { run_virsh "$1" "$VW_BUILD/virsh" -c qemu:///system "${@:2}"; }
real() { "$lab" exec "$1" /usr/bin/virsh -q -c qemu:///system "${@:2}"; }

show() { sed "s/^/  /" "$work/out" "$work/err" >&2; }
exits() { [ "$status" = "$1" ] || { show; fail "$2: exit $status, not $1"; }; }
said() { grep -Eq -- "$1" "$work/err" || { show; fail "$2: not said: $1"; }; }
silent() { ! grep -q 'virt-warden' "$work/err" || { show; fail "$1: something was said"; }; }
is_on() { [ "$(real "$1" domstate "$2" 2>/dev/null)" = running ] || fail "$2 does not run on $1"; }
not_on() { ! real "$1" domstate "$2" >/dev/null 2>&1 || fail "$2 is on $1"; }

# eventually COMMAND…: within 20 s.
eventually()
{
	local end=$((SECONDS + 20))
	until "$@"; do
		[ $SECONDS -lt $end ] || fail "never true: $*"
		sleep 0.1
	done
}

# guest NAME [DEVICES]: its XML.
guest()
{
	cat <<-END
		<domain type='qemu'><name>$1</name><memory unit='KiB'>32768</memory><vcpu>1</vcpu>
		<os><type arch='x86_64' machine='q35'>hvm</type></os><cpu mode='host-model'/>
		<devices>${2-}</devices></domain>
	END
}
disk() # disk TYPE ATTRIBUTE SOURCE [CACHE]
{
	echo "<disk type='$1' device='disk'><driver name='qemu' type='raw' cache='${4-none}'/>
	<source $2='$3'/><target dev='vda' bus='virtio'/></disk>"
}
start() { guest "$@" >"$work/$1.xml" && real alpha create "$work/$1.xml" >/dev/null; }

# same NAME: ours printed what plain did ($work/plain.*), but for percentages.
remember() { cp "$work/out" "$work/plain.out" && cp "$work/err" "$work/plain.err" && plain_status=$status; }
squeeze() { tr '\r' '\n' <"$1" | sed -E 's/ *[0-9]+ %/ N %/' | sort -u; }
same()
{
	[ "$status" = "$plain_status" ] || { show; fail "$1: exit $status, plain virsh $plain_status"; }
	cmp "$work/out" "$work/plain.out" || fail "$1: another stdout"
	diff <(squeeze "$work/plain.err") <(squeeze "$work/err") || fail "$1: another stderr"
}

# --- all is well: nothing is said, and every option does what it did -------------------------------
policy enforce
start good "$(disk block dev "$lun")<interface type='network'><source network='default'/></interface>"
while read -r options; do
	# shellcheck disable=SC2086 # options are words
	plain alpha migrate --live $options good "$to_beta"
	remember
	if [ "$status" = 0 ]; then
		real beta resume good >/dev/null 2>&1 || true # after --suspend
		# shellcheck disable=SC2086
		ours beta migrate --live $options good "$to_alpha"
	else
		# shellcheck disable=SC2086
		ours alpha migrate --live $options good "$to_beta"
	fi
	same "$options"
	real alpha resume good >/dev/null 2>&1 || true
	echo "as the plain virsh (exit $status): migrate $options: $(squeeze "$work/err" | tail -n 1)"
done <<-END
	--verbose
	--verbose --p2p
	--p2p --tunnelled
	--verbose --bandwidth 100 --timeout 60 --timeout-suspend
	--postcopy --postcopy-after-precopy
	--suspend
	--persistent --undefinesource --change-protection --auto-converge
	--timeout-postcopy
	--copy-storage-all --migrate-disks vdz
END
real alpha resume good >/dev/null 2>&1 || true
is_on alpha good

# --- blocked ---------------------------------------------------------------------------------------
start local "$(disk file file $images/local.img)"
plain alpha migrate --live local "$to_beta"
remember
policy warn
ours alpha migrate --live local "$to_beta"
said '^virt-warden: local: alpha .* beta: blocked$' warn
said '^  disk-not-shared vda: .*copy-storage-all' warn
sed -i '/^virt-warden: \|^  /d' "$work/err"
same "warn, but for our lines"
policy off
ours alpha migrate --live local "$to_beta"
same off
policy enforce
ours alpha migrate --live local "$to_beta"
exits 1 enforce
said '^error: migration refused before it began' enforce
said '^  disk-not-shared vda' enforce
! "$lab" exec beta test -e /var/log/libvirt/qemu/local.log || fail "enforce: beta heard of it"
ours alpha -q migrate --live local "$to_beta"
said '^  disk-not-shared vda' "enforce, quiet"
(export VIRT_WARDEN=off && ours alpha migrate --live local "$to_beta" && same VIRT_WARDEN=off)
ours alpha migrate --live --unsafe local "$to_beta"
exits 0 unsafe
silent unsafe
is_on beta local
ours beta migrate --live --unsafe local "$to_alpha"

# The client may be on another machine than the source.
run_virsh beta "$VW_BUILD/virsh" -c "$to_alpha" migrate --live local "$to_beta"
exits 1 "remote source"
said '^virt-warden: local: alpha .* beta: (blocked|unknown)' "remote source"

# Copied disks need no sharing.
ours alpha migrate --live --verbose --copy-storage-all local "$to_beta"
exits 0 --copy-storage-all
silent --copy-storage-all
said 'Migration: \[ *100 %\]' --copy-storage-all
ours beta migrate --live --copy-storage-all --migrate-disks vda local "$to_alpha"
exits 0 --migrate-disks
is_on alpha local

# In the shell, what comes after goes on.
printf 'migrate --live local %s\ndomstate local\n' "$to_beta" >"$work/shell"
status=0
"$lab" exec alpha "$VW_BUILD/virsh" -c qemu:///system <"$work/shell" >"$work/out" 2>"$work/err" || status=$?
said 'error: migration refused before it began' shell
grep -q running "$work/out" || fail "the shell did not go on"

# --- --xml, --dname, --persistent-xml, --offline -----------------------------------------------------
real alpha dumpxml --migratable --security-info local >"$work/own.xml"
"$lab" exec beta truncate -s 8M $images/other.img
sed "s,$images/local.img,$images/other.img," "$work/own.xml" >"$work/moved.xml"
ours alpha migrate --live --copy-storage-all --xml "$work/moved.xml" local "$to_beta"
exits 0 --xml
silent --xml
real beta dumpxml local >"$work/got.xml"
grep -q other.img "$work/got.xml" || fail "--xml was not used"
real beta destroy local >/dev/null
sed "s,$images/local.img,$images/nowhere/other.img," "$work/own.xml" >"$work/nowhere.xml"
sed "s,32768</memory>,65536</memory>," "$work/own.xml" >"$work/larger.xml"
start local "$(disk file file $images/local.img)"
for xml in nowhere larger; do
	plain alpha migrate --live --copy-storage-all --xml "$work/$xml.xml" local "$to_beta"
	exits 1 "plain, $xml"
	ours alpha migrate --live --copy-storage-all --xml "$work/$xml.xml" local "$to_beta"
	exits 1 "$xml"
	said 'refused before it began' "$xml"
	if [ $xml = larger ]; then said 'xml-abi memory' $xml; else said disk-target-missing $xml; fi
done
real alpha destroy local >/dev/null

guest good >"$work/taken.xml"
real beta define "$work/taken.xml" >/dev/null
ours alpha migrate --live good "$to_beta"
said 'name-taken' "name taken"
exits 1 "name taken"
ours alpha migrate --live --dname better good "$to_beta"
exits 0 --dname
silent --dname
is_on beta better
real beta undefine good >/dev/null
ours beta migrate --live --dname good better "$to_alpha"
is_on alpha good

real alpha dumpxml --inactive --migratable good | sed 's,<name>good,<name>evil,' >"$work/evil.xml"
ours alpha migrate --live --persistent --persistent-xml "$work/evil.xml" good "$to_beta"
said 'xml-persistent' --persistent-xml
real beta destroy good >/dev/null 2>&1 || true
for name in good evil; do real beta undefine $name >/dev/null 2>&1 || true; done

guest cold "$(disk block dev "$lun" writeback)" >"$work/cold.xml"
real alpha define "$work/cold.xml" >/dev/null
ours alpha migrate --offline --persistent cold "$to_beta"
exits 0 --offline
silent --offline
real beta domid cold >/dev/null || fail "--offline did nothing"

# --- a destination that does not answer: at most five seconds, then virsh's own fate ---------------------
start slow
pid=$("$lab" exec beta cat /run/libvirtd.pid)
"$lab" exec beta kill -STOP "$pid"
(run_virsh alpha "$VW_BUILD/virsh" -c qemu:///system migrate --live --p2p slow "$to_beta" && echo "$status" >"$work/status") &
mover=$!
begin=$EPOCHREALTIME
eventually grep -q virt-warden "$work/err"
took=$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }')
awk -v t="$took" 'BEGIN { exit !(t < 6.5) }' || fail "the preflight took $took s"
"$lab" exec beta kill -CONT "$pid"
wait $mover
status=$(<"$work/status")
said 'slow.*unknown' slow
said 'no answer within 4 s' slow
said '^virt-warden: it passes all the same: unknown = pass' slow
[ "$(grep -c 'virt-warden' "$work/err")" = 2 ] || { show; fail "slow: more than these two lines"; }
exits 0 slow
is_on beta slow
echo "slow destination: said after $took s, then moved"

# Ctrl-C meanwhile: it does not begin.
"$lab" exec beta kill -STOP "$pid"
start stopped
("$lab" exec alpha setsid -w "$VW_BUILD/virsh" -c qemu:///system migrate --live --p2p stopped "$to_beta" \
	>"$work/out" 2>"$work/err" </dev/null || echo $? >"$work/status") &
mover=$!
preflight_group() # the process group of virsh and its preflight, once there is one
{
	group=$("$lab" exec alpha ps -eo pgid=,args= | awk '/preflight --for-virsh/ { g = g ? g : $1 } END { print g }')
	[ -n "$group" ]
}
eventually preflight_group
"$lab" exec alpha kill -INT -- "-$group"
wait $mover || true
"$lab" exec beta kill -CONT "$pid"
status=$(<"$work/status")
exits 1 Ctrl-C
said '^error: operation aborted' Ctrl-C
is_on alpha stopped
not_on beta stopped

# --- not ours: another driver; a domain whose mode is off or audit; a broken configuration ----------------
# (virsh itself may wait for ever when a migration fails at once, before its main loop has begun.)
run_virsh alpha timeout 5 "$VW_BUILD/virsh" -c test:///default migrate test test:///default
silent "the test driver"
for mode in off audit; do
	guest "mode-$mode" "$(disk file file $images/local.img)" |
		sed "s,</name>,&<metadata><w:warden xmlns:w='urn:virt-warden:domain:1' mode='$mode'/></metadata>," >"$work/mode.xml"
	real alpha create "$work/mode.xml" >/dev/null
	ours alpha migrate --live "mode-$mode" "$to_beta"
	exits 1 "mode $mode"
	said 'nsafe migration' "mode $mode"
	if [ $mode = off ]; then silent "mode $mode"; else said 'disk-not-shared' "mode $mode"; fi
	real alpha destroy "mode-$mode" >/dev/null
done
echo 'nonsense' >"$VIRT_WARDEN_CONF"
ours alpha migrate --live stopped "$to_beta"
exits 0 "bad configuration"
said 'warden.conf:1: .*nothing was judged' "bad configuration"
is_on beta stopped
