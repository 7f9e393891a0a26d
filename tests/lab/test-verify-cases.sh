#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# verify after real migrations, between a host and one with an older CPU: healthy guests that must not
# raise an alarm, and everything that may go wrong. Ends with the table: case, the signals that the guest
# offers, verdict expected, verdict, by which probe, seconds after the migration's end.
# $VW_VERIFY_RUNS (default 1): how often each; $VW_VERIFY_ONLY: only cases that match this regex;
# $VW_VERIFY_DETAILS: set to see all probes.
# timeout: 900
# serial
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/lab-hosts.sh"
. "$LAB_DIR/lib/test.sh"

runs=${VW_VERIFY_RUNS:-1} only=${VW_VERIFY_ONLY:-.} jobs=${VW_VERIFY_JOBS:-5}
lab_begin
"$lab" up --asymmetric >/dev/null
mkdir "$work/rows"
beta=$("$lab" uri beta)

real() # real HOST ARGUMENT…: libvirt's own virsh
{
	local host=$1
	shift
	"$lab" exec "$host" /usr/bin/virsh -q -c qemu:///system "$@"
}

verify() # verify HOST NAME OPTION…
{
	verify_from "$1" qemu:///system "${@:2}"
}
verify_from() # verify_from HOST URI NAME OPTION…
{
	"$lab" exec "$1" "$VW_BUILD/virt-warden" -c "$2" --quiet verify "${@:3}"
}

# qemu_of HOST NAME: the process, as this shell may signal it by `on HOST kill`.
qemu_of()
{
	"$lab" exec "$1" cat "/run/libvirt/qemu/$2.pid"
}

agent() # agent HOST NAME COMMAND ARGUMENT…: run it in the guest
{
	local host=$1 name=$2 command=$3 list
	shift 3
	list=$(printf ',"%s"' "$@")
	real "$host" qemu-agent-command "$name" \
		"{\"execute\":\"guest-exec\",\"arguments\":{\"path\":\"$command\",\"arg\":[${list#,}]}}" >/dev/null
}

# hide NAME: verify follows no link, QEMU does: the console tells it nothing any more.
hide()
{
	mv "$VW_LAB/guests/$1.console" "$VW_LAB/guests/$1.log"
	ln -s "$1.log" "$VW_LAB/guests/$1.console"
}

# What a case may do: before_CASE NAME on alpha before the baseline is taken; migrate_CASE NAME instead of
# a plain live migration; after_CASE NAME at its end; end_CASE NAME at the very end.
before_console() { rm "$VW_LAB/guests/$1.console" && mv "$VW_LAB/guests/$1.log" "$VW_LAB/guests/$1.console"; }
before_aes_console() { before_console "$1"; }
before_aes_far() { before_console "$1"; } # it is not to be read from there

# The host talks to the guest, ten packets a second.
talk()
{
	local number
	number=$(sed -n 's/.*vwlab\.ip=10\.77\.0\.\([0-9]*\).*/\1/p' "$VW_LAB/guests/$1.xml")
	[ -z "${2-}" ] || "$lab" exec alpha ip route add "10.77.0.$number/32" dev "$2"
	# shellcheck disable=SC2016 # the inner shell expands it
	timeout 900 "$lab" exec alpha bash -c 'exec 3<>"/dev/udp/$0/9"
		while sleep 0.1; do echo x >&3 || true; done' "10.77.0.$number" 2>/dev/null &
	talker=$!
	sleep 1
}
before_net() { talk "$1"; }
finish_net() { kill "$talker" 2>/dev/null || true; }
before_bridge() { talk "$1" br1; }
finish_bridge() { kill "$talker" 2>/dev/null || true; }

# In a moment: the agent has to answer before.
after_agent_frozen() { agent beta "$1" /bin/sh -c 'sleep 0.3; killall -STOP qemu-ga' && sleep 1; }
after_agent_died() { agent beta "$1" /bin/sh -c 'sleep 0.3; killall -KILL qemu-ga' && sleep 1; }

# nbd_of NAME: the server of its disk.
nbd_of()
{
	pgrep -f "^qemu-nbd .*/$1\.disk"
}
after_nbd_stop() { kill -STOP "$(nbd_of "$1")"; }
end_nbd_stop() { kill -CONT "$(nbd_of "$1")"; }
after_nbd_kill() { kill -KILL "$(nbd_of "$1")"; }

# Of several at once one may find QEMU's port closed: libvirt rolls it back, which is no case of these.
migrate_plain()
{
	local uri
	uri=$("$lab" uri "$3")
	real "$2" migrate --live "$1" "$uri" 2>"$work/err-$1" || { sleep 1 && real "$2" migrate --live "$1" "$uri"; }
}
migrate_paused() { real alpha migrate --live --suspend "$1" "$beta"; }
migrate_defined_both() { real alpha migrate --live --persistent "$1" "$beta"; }
migrate_clean() { real "$2" migrate --live --persistent --undefinesource "$1" "$("$lab" uri "$3")"; }
after_vanished() { "$lab" exec beta kill -KILL "$(qemu_of beta "$1")"; }
after_qemu_frozen() { "$lab" exec beta kill -STOP "$(qemu_of beta "$1")"; }
end_qemu_frozen() { "$lab" exec beta kill -CONT "$(qemu_of beta "$1")"; }

# in_the_middle NAME OPTION…: a slow migration; returns when it sends memory, leaves $client.
in_the_middle()
{
	local name=$1
	shift
	"$lab" exec alpha /usr/bin/virsh -q -c qemu:///system migrate --live --bandwidth 8 "$@" "$name" "$beta" \
		>"$work/migrate-$name" 2>&1 &
	client=$!
	wait_for 20 memory_moves "$name" || fail "$name: the migration does not begin: $(<"$work/migrate-$name")"
}
memory_moves()
{
	real alpha domjobinfo "$1" | grep '^Memory processed: *[1-9]'
}
# The destination's QEMU dies in the middle: libvirt rolls back.
migrate_rolled_back()
{
	in_the_middle "$1"
	"$lab" exec beta kill -KILL "$(qemu_of beta "$1")"
	! wait "$client" || fail "$1: a broken migration succeeded"
}
# The destination's libvirtd does not get to Finish, the client dies: nobody resumes the source. When
# all others are through, for their libvirtd it is, too.
ready_client_died() { wait_for 600 test -e "$work/alone"; }
migrate_client_died()
{
	local pid
	in_the_middle "$1"
	pid=$("$lab" exec beta cat /run/libvirtd.pid)
	"$lab" exec beta kill -STOP "$pid"
	wait_for 60 is_state alpha "$1" paused || fail "$1: is not paused: $(real alpha domstate "$1" --reason)"
	"$lab" exec alpha kill -KILL "$("$lab" exec alpha pgrep -f "^/usr/bin/virsh .*migrate .* $1 ")"
	wait "$client" 2>/dev/null || true
	"$lab" exec beta kill -CONT "$pid"
	sleep 1
}
is_state()
{
	[ "$(real "$1" domstate "$2" 2>/dev/null)" = "$3" ]
}
# Post-copy: the guest runs on beta, the rest of its memory still is on alpha; then beta's QEMU dies.
migrate_postcopy_broken()
{
	in_the_middle "$1" --postcopy --postcopy-bandwidth 4
	real alpha migrate-postcopy "$1"
	wait_for 20 is_state beta "$1" running || fail "$1: no post-copy: $(<"$work/migrate-$1")"
	"$lab" exec beta kill -KILL "$(qemu_of beta "$1")"
	! wait "$client" || fail "$1: a broken migration succeeded"
}

may() # may WHAT CASE NAME: run WHAT_CASE, if there is one
{
	local what=$1_${2//-/_}
	! declare -F "$what" >/dev/null || "$what" "$3"
}

# ticks_on NAME: the truth, from the guest itself, which verify was not shown.
ticks_on()
{
	local log=$VW_LAB/guests/$1.log before
	[ -e "$log" ] || log=$VW_LAB/guests/$1.console
	before=$(grep -c '^VWLAB tick' "$log")
	wait_for 8 eval "[ \$(grep -c '^VWLAB tick' '$log') -gt $before ]"
}

# hop CASE NAME WANT PROBE FROM TO: migrate, verify (…-far: on the source, by qemu+tcp), and note "fits|verdict|probes|seconds" in $work/rows/NAME.
hop()
{
	local case=$1 name=$2 want=$3 probe=$4 from=$5 to=$6 row=$7 at=$6 uri=qemu:///system status=0 end verdict found seconds fits=yes
	if declare -F "migrate_${case//-/_}" >/dev/null; then
		"migrate_${case//-/_}" "$name" "$from" "$to"
	else
		migrate_plain "$name" "$from" "$to"
	fi
	[[ $case != *-far ]] || at=$from uri=$("$lab" uri "$to")
	end=$(date +%s%N)
	may after "$case" "$name"
	verify_from "$at" "$uri" "$name" --json --after-migration --source "$("$lab" uri "$from")" \
		>"$work/$row.json" 2>"$work/$row.err" || status=$?
	seconds=$((($(date +%s%N) - end) / 100000000))
	verdict=$(jq -r '.verdict // "none"' "$work/$row.json")
	found=$(jq -r '[.probes[]? | select(.status == "fail" or .status == "warn") | .probe] | join(" ")' "$work/$row.json")
	case $verdict$status in
	healthy0 | degraded1 | failed1 | unknown3) ;;
	*) fits="NO: exit $status: $(tail -n 1 "$work/$row.err")" ;;
	esac
	[ "$verdict" = "$want" ] || fits="NO"
	[ "$probe" = - ] || [[ " $found " =~ \ ($probe)\  ]] || fits="NO: not by $probe"
	[ "$verdict" != failed ] || [ $seconds -le 150 ] || fits="NO: after 15 s"
	if [ "$want" = healthy ] && ! ticks_on "$name"; then
		[ "$verdict" = healthy ] && fits="NO: it died" || fits=died
	fi
	may end "$case" "$name"
	printf '%s|%s|%s|%d.%d\n' "$fits" "$verdict" "${found:--}" $((seconds / 10)) $((seconds % 10)) >"$work/rows/$row"
}

# two_at_a_time COMMAND…: booting takes a CPU as long as it lasts; all else is mostly waiting.
two_at_a_time()
{
	local slot=0 status=0
	while exec 8>"$work/slot$slot" && ! flock -n 8; do
		slot=$((1 - slot))
		sleep 0.2
	done
	"$@" 8>&- || status=$?
	exec 8>&-
	return $status
}

# boot CASE NAME OPTION…: on alpha, with its baseline.
boot()
{
	local case=$1 name=$2
	shift 2
	rm -f "$VW_LAB/guests/$name".{console,log}
	two_at_a_time "$lab" guest "$name" --cpu none "$@" >/dev/null || fail "$name does not start"
	hide "$name"
	may before "$case" "$name"
	verify alpha "$name" --record || fail "$name: no baseline"
}

remove() # remove CASE NAME
{
	local host
	may finish "$1" "$2"
	for host in alpha beta; do
		real $host destroy "$2" >/dev/null 2>&1 || true
		real $host undefine "$2" >/dev/null 2>&1 || true
	done
}

# one CASE RUN WANT PROBE OPTION…: a guest of its own. A healthy one goes to and fro, as often as there are
# runs. Emulated guests do die in migrations now and then: if verify said so, another one takes its place.
one()
{
	local case=$1 i=$2 name=$1-$2 want=$3 probe=$4 from=alpha to=beta last=$2 host deaths=0 fits
	shift 4
	[ "$want" != healthy ] || last=$runs
	boot "$case" "$name" "$@"
	may ready "$case" "$name"
	while [ "$i" -le "$last" ]; do
		hop "$case" "$name" "$want" "$probe" $from $to "$case-$i"
		IFS='|' read -r fits _ <"$work/rows/$case-$i"
		if [ "$fits" = died ] && [ $((deaths += 1)) -le 5 ]; then
			echo "$case: $(tail -n 1 "$VW_LAB/guests/$name.log" 2>/dev/null)" >>"$work/deaths"
			remove "$case" "$name"
			boot "$case" "$name" "$@"
			from=alpha to=beta
			continue
		fi
		i=$((i + 1)) host=$from from=$to to=$host
	done
	remove "$case" "$name"
}

# A bridge that all hosts have, and that leads somewhere on alpha only.
for host in alpha beta; do
	"$lab" exec "$host" ip link add br1 type bridge
	"$lab" exec "$host" ip link set br1 up
done
on_br1="<interface type='bridge'><source bridge='br1'/><model type='virtio'/></interface>"

# case | signals that the guest offers | verdict | probe | options of `lab guest`
cases()
{
	cat <<END
idle|vcpu|healthy|-|
console|vcpu serial|healthy|-|
disk|vcpu disk|healthy|-|--disk block
net|vcpu net|healthy|-|--payload net
agent|vcpu agent|healthy|-|--payload agent
compute|vcpu disk|healthy|-|--payload compute --disk block
clean|vcpu disk|healthy|-|--disk block
no-signal|vcpu|unknown|-|--payload compute
agent-frozen|vcpu disk agent|failed|guest-agent|--payload agent --disk block
agent-died|vcpu disk agent|degraded|guest-agent|--payload agent --disk block
aes|vcpu disk|failed|vcpu|--cpu maximum --payload aes --disk block
aes-nothing|vcpu|failed|vcpu|--cpu maximum --payload aes
aes-console|vcpu serial|failed|console|--cpu maximum --payload aes
aes-pvpanic|vcpu panic|failed|state,events|--cpu maximum --payload aes --device PANIC
aes-far|vcpu|failed|vcpu|--cpu maximum --payload aes
pvpanic-far|vcpu panic|failed|state,events|--cpu maximum --payload aes --device PANIC
spin|vcpu disk|failed|vcpu|--cpu maximum --payload spin --disk block
nbd-stop|vcpu disk|failed|disk-progress|--disk nbd
nbd-kill|vcpu disk|failed|disk-progress|--disk nbd
bridge|vcpu net|failed|network-counters|--device BRIDGE
paused|vcpu disk|failed|state|--disk block
vanished|vcpu disk|failed|state|--disk block
qemu-frozen|vcpu disk|failed|monitor|--disk block
defined-both|vcpu disk|degraded|source-host|--disk block
rolled-back|source|failed|source-host|--disk block
postcopy-broken|source|failed|source-host|
client-died|source|failed|source-host|--disk block
END
}

run() # run CASE RUN WANT PROBE OPTIONS
{
	local name=$1-$2 options=()
	read -r -a options <<<"$5"
	options=("${options[@]/#PANIC/<panic model=\'isa\'\/>}")
	options=("${options[@]/#BRIDGE/$on_br1}")
	(one "$1" "$2" "$3" "$4" "${options[@]}") >"$work/$name.log" 2>&1 ||
		echo "NO: $(tail -n 1 "$work/$name.log")|none|-|0" >"$work/rows/$name"
}

for ((i = 1; i <= runs; i++)); do
	rm -f "$work/alone"
	others=()
	while IFS='|' read -r case _ want probe options; do

		[[ $case =~ $only ]] || continue
		[ "$want" != healthy ] || [ $i -eq 1 ] || continue
		while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n || true; done
		run "$case" "$i" "$want" "${probe//,/|}" "$options" &
		[ "$case" = client-died ] || others+=($!)
	done < <(cases)
	[ ${#others[@]} -eq 0 ] || wait "${others[@]}" || true
	touch "$work/alone"
	wait
done

wrong=0 healthy=0 alarms=0 sick=0 missed=0
printf '%-16s %-16s %-9s %-9s %-34s %s\n' case signals expected verdict by seconds
for ((i = 1; i <= runs; i++)); do
	while IFS='|' read -r case signals want _; do
		[[ $case =~ $only ]] || continue
		IFS='|' read -r fits verdict found seconds <"$work/rows/$case-$i" ||
			fits="NO: did not run" verdict=none found=- seconds=0
		printf '%-16s %-16s %-9s %-9s %-34s %5s%s\n' "$case" "$signals" "$want" "$verdict" "$found" "$seconds" \
			"$([ "$fits" = yes ] || echo "  $fits")"
		if [ "$want" = healthy ]; then
			healthy=$((healthy + 1))
			[ "$verdict" = healthy ] || alarms=$((alarms + 1))
		elif [ "$want" != unknown ]; then
			sick=$((sick + 1))
			[ "$verdict" = failed ] || [ "$verdict" = degraded ] || missed=$((missed + 1))
		fi
		[ "$fits" = yes ] && [ -z "${VW_VERIFY_DETAILS-}" ] || {
			[ "$fits" = yes ] || wrong=$((wrong + 1))
			sed "s/^/    /" "$work/$case-$i.log" | tail -n 16 || true
			jq -r '.probes[]? | select(.status != "skip") | "    \(.status) \(.probe): \(.detail)"' \
				"$work/$case-$i.json" 2>/dev/null || true
		}
	done < <(cases)
done
[ ! -e "$work/deaths" ] || printf '\n%s\n' "guests that died in a migration, and verify said so:" "$(<"$work/deaths")"
printf '\n%d healthy, %d false alarms; %d not, %d missed; %d wrong rows\n' $healthy $alarms $sick $missed $wrong
[ $((healthy + sick)) -gt 0 ] && [ $wrong -eq 0 ]
