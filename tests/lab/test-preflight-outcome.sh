#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What preflight predicts against what libvirt does, between two hosts of the same kind: every "blocked"
# is refused for that reason, every "ok" works, there and back. Ends with the table and its figures.
# timeout: 600
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

shopt -s lastpipe # scenario counts in this shell
lab_begin
"$lab" up --hosts alpha,beta >/dev/null
images=/var/lib/libvirt/images
for host in alpha beta; do
	"$lab" exec "$host" mkdir -p "$images"
done
real() # real HOST ARGUMENT…: libvirt's own virsh
{
	local host=$1
	shift
	"$lab" exec "$host" /usr/bin/virsh -q -c qemu:///system "$@"
}
uri=$("$lab" uri beta)
back=$("$lab" uri alpha)

# guest NAME [CPU-MODE] <DEVICES: prints its XML.
guest()
{
	cat <<-END
		<domain type='qemu'><name>$1</name><memory unit='MiB'>32</memory><vcpu>1</vcpu>
		<os><type arch='x86_64' machine='q35'>hvm</type>${os-}</os>${cpu-<cpu mode='host-model'/>}
		<devices>$(cat)</devices></domain>
	END
}

disk() # disk TYPE SOURCE [EXTRA]: one virtio disk without a cache, or with $cache
{
	local attribute=file
	[ "$1" = file ] || attribute=dev
	echo "<disk type='$1' device='disk'><driver name='qemu' type='${format-raw}' cache='${cache-none}'/>
	<source $attribute='$2'/><target dev='vda' bus='virtio'/>${3-}</disk>"
}

rows=() right=0 wrong=0 ok=0 blocked=0 risk=0 unknown=0

# predict NAME DESTURI OPTION…: leaves $verdict, $reason (the first blocker or risk), $return.
predict()
{
	local status=0
	"$lab" exec alpha "$VW_BUILD/virt-warden" -c qemu:///system --json preflight "$@" >"$work/json" || status=$?
	verdict=$(jq -r '.directions[0].verdict' "$work/json")
	return=$(jq -r '.directions[1].verdict' "$work/json")
	reason=$(jq -r '[.directions[0].reasons[] | select(.severity != "info") | .id] | unique | join(" ")' "$work/json")
	case $verdict$status in
	ok0 | blocked1 | risk1 | unknown3) ;;
	*) fail "preflight $1: verdict $verdict, exit $status" ;;
	esac
}

# note NAME WANTED-VERDICT WANTED-ID OUTCOME: a row of the table.
note()
{
	local fits=yes
	[ "$verdict" = "$2" ] && [[ " $reason " == *" $3 "* || -z $3 ]] || fits="NO (wanted $2 $3)"
	case $verdict,$4 in
	blocked,refused | ok,moved | risk,moved) ;;
	*) fits="NO: $(tail -n 1 "$work/migrate")" ;;
	esac
	if [ "$fits" = yes ]; then right=$((right + 1)); else wrong=$((wrong + 1)); fi
	declare -g "$verdict=$((${!verdict} + 1))"
	rows+=("$(printf '%-18s %-8s %-42s %-8s %s' "$1" "$verdict" "$reason" "$4" "$fits")")
	echo "${rows[-1]}"
}

# scenario NAME VERDICT ID ERROR-REGEX [PREFLIGHT-OPTION…] [-- MIGRATE-OPTION…] <XML
scenario()
{
	local name=$1 want=$2 id=$3 regex=$4 outcome=moved options=()
	shift 4
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1") && shift
	done
	[ $# -eq 0 ] || shift
	cat >"$work/$name.xml"
	real alpha create "$work/$name.xml" >/dev/null || fail "$name does not start"
	"${prepare-true}" "$name"
	predict "$name" "${dest-$uri}" "${options[@]}"
	real alpha migrate --live "$name" "${dest-$uri}" "$@" >"$work/migrate" 2>&1 || outcome=refused
	if [ "$outcome" = refused ]; then
		grep -Eqi "$regex" "$work/migrate" || {
			echo "$name: $(<"$work/migrate")"
			wrong=$((wrong + 1))
		}
	elif [ "$return" = ok ]; then
		real beta migrate --live "$name" "$back" "$@" >"$work/migrate" 2>&1 ||
			fail "$name: the way back was called ok: $(<"$work/migrate")"
	fi
	note "$name" "$want" "$id" "$outcome"
	real alpha destroy "$name" >/dev/null 2>&1 || true
	real beta destroy "$name" >/dev/null 2>&1 || true
}

nic="<interface type='network'><source network='default'/><model type='virtio'/></interface>"
truncate -s 8M "$work/lun"
lun=$("$lab" loop "$work/lun")

# --- works, there and back -------------------------------------------------------------------
guest host-model <<<"$nic" | scenario host-model ok "" ""
cpu="<cpu mode='maximum'/>" guest maximum <<<"$nic" | scenario maximum ok "" ""
cpu="" guest default-cpu <<<"$nic" | scenario default-cpu ok "" ""
cpu="<cpu mode='custom' match='exact'><model>Nehalem</model><feature policy='require' name='aes'/></cpu>" \
	guest named-cpu <<<"" | scenario named-cpu ok "" ""
guest lun <<<"$(disk block "$lun")" | scenario lun ok "" ""
suspend() { real alpha suspend "$1" >/dev/null; }
prepare=suspend scenario paused ok "" "" < <(guest paused <<<"$nic")
guest bridge <<<"<interface type='bridge'><source bridge='br0'/></interface>" | scenario bridge ok "" ""
guest vnc <<<"<graphics type='vnc' port='5977' autoport='no'/>" | scenario vnc ok "" ""

# --- let through, with a danger ---------------------------------------------------------------
cache=writeback disk block "$lun" >"$work/devices"
guest cached <"$work/devices" | scenario cached risk disk-cache ""

# --- refused ----------------------------------------------------------------------------------
"$lab" exec alpha truncate -s 8M "$images/local.img"
guest local-file <<<"$(disk file "$images/local.img")" |
	scenario local-file blocked disk-not-shared 'unsafe migration|shared storage'
guest copy-no-target <<<"$(disk file "$images/local.img")" |
	scenario copy-no-target blocked disk-target-missing 'storage pool|precreate|No such file' --copy-storage -- --copy-storage-all
"$lab" exec beta truncate -s 8M "$images/local.img"
guest copy-storage <<<"$(disk file "$images/local.img")" |
	scenario copy-storage ok "" "" --copy-storage -- --copy-storage-all
guest transient <<<"$(disk file "$images/local.img" '<transient/>')" |
	scenario transient blocked disk-transient 'transient|unsafe'

taken() { guest "$1" <<<"" >"$work/taken.xml" && real beta define "$work/taken.xml" >/dev/null; }
prepare=taken scenario name-taken blocked name-taken 'already (exists|defined)' < <(guest name-taken <<<"")
same_uuid()
{
	guest other-name <<<"" | sed "s|</name>|&<uuid>$(real alpha domuuid "$1")</uuid>|" >"$work/taken.xml"
	real beta define "$work/taken.xml" >/dev/null
}
prepare=same_uuid scenario uuid-taken blocked uuid-taken 'already (exists|defined)' < <(guest uuid-taken <<<"")

cat >"$work/net.xml" <<'END'
<network><name>only</name><forward mode='bridge'/><bridge name='br0'/></network>
END
real alpha net-create "$work/net.xml" >/dev/null
only="<interface type='network'><source network='only'/></interface>"
guest no-network <<<"$only" | scenario no-network blocked network-missing 'network.*(not found|only)'
real beta net-define "$work/net.xml" >/dev/null
guest net-inactive <<<"$only" | scenario net-inactive blocked network-inactive 'network.*not active'
"$lab" exec alpha ip link add br9 type bridge
"$lab" exec alpha ip link set br9 up
guest no-bridge <<<"<interface type='bridge'><source bridge='br9'/></interface>" |
	scenario no-bridge blocked bridge-missing 'br9'

"$lab" exec alpha truncate -s 1M "$images/install.iso"
guest no-iso <<<"<disk type='file' device='cdrom'><source file='$images/install.iso'/><target dev='sda' bus='sata'/><readonly/></disk>" |
	scenario no-iso blocked media-missing 'install.iso|No such file'
"$lab" exec alpha cp /usr/share/seabios/bios-256k.bin "$images/kernel"
os="<kernel>$images/kernel</kernel>" guest no-kernel <<<"" | sed "s|machine='q35'|machine='pc'|" >"$work/kernel.xml"
scenario no-kernel blocked boot-file-missing "kernel|No such file" <"$work/kernel.xml"

guest vnc-beta <<<"<graphics type='vnc' port='5978' autoport='no'/>" >"$work/beta.xml"
real beta create "$work/beta.xml" >/dev/null
guest vnc-taken <<<"<graphics type='vnc' port='5978' autoport='no'/>" |
	scenario vnc-taken blocked port-taken '5978|port'
real beta destroy vnc-beta >/dev/null

guest shmem <<<"<shmem name='vw-$$' role='peer'><model type='ivshmem-plain'/><size unit='M'>1</size></shmem>" |
	scenario shmem blocked shmem 'shmem'
rm -f "/dev/shm/vw-$$"
snap() { real alpha snapshot-create-as "$1" s1 >/dev/null; }
"$lab" exec alpha qemu-img create -q -f qcow2 "$lun" 4M
format=qcow2 disk block "$lun" >"$work/devices"
prepare=snap scenario snapshot blocked snapshot 'snapshot' < <(guest snapshot <"$work/devices")
"$lab" exec alpha qemu-img create -q -f raw "$images/copy.img" 8M
job() { real alpha blockcopy "$1" vda "$images/copy.img" --transient-job --reuse-external --format raw >/dev/null; }
prepare=job scenario block-job blocked block-job 'block job' < <(guest block-job <<<"$(disk block "$lun")")
dest=$back scenario same-host blocked host-same 'same host' < <(guest same-host <<<"")

# --- not running: offline ---------------------------------------------------------------------
guest offline <<<"$nic" >"$work/offline.xml"
real alpha define "$work/offline.xml" >/dev/null
predict offline "$uri" --offline
outcome=moved
real alpha migrate --offline --persistent offline "$uri" >"$work/migrate" 2>&1 || outcome=refused
note offline ok "" $outcome

# --- hosts that can't be asked ----------------------------------------------------------------
guest asked <<<"" >"$work/asked.xml"
real alpha create "$work/asked.xml" >/dev/null
pid=$("$lab" exec beta cat /run/libvirtd.pid)
"$lab" exec beta kill -STOP "$pid"
SECONDS=0
predict asked "$uri"
[ $SECONDS -le 13 ] || fail "a stopped libvirtd held preflight up for $SECONDS s"
[ "$verdict" = unknown ] || fail "a stopped libvirtd gives $verdict"
"$lab" exec beta kill -CONT "$pid"
predict asked qemu+tcp://10.77.0.99/system
[ "$verdict" = unknown ] || fail "a host that is not there gives $verdict"

printf '\n%d predictions: %d ok, %d blocked, %d risk, %d unknown; %d right, %d wrong\n' \
	"${#rows[@]}" $ok $blocked $risk $unknown $right $wrong
[ $wrong -eq 0 ] || fail "$wrong predictions are wrong"
[ $unknown -eq 0 ] || fail "$unknown are unknown"
