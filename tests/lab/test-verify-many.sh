#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 420
# serial
# 200 guests arrive within a minute, evenly: each gets its verdict within 15 s of its arrival, those
# whose QEMU stands still are failed and no other is, the agent's memory stays flat, nothing is left
# behind. The guests, libvirtd and all figures are real; only the events are not (lib/arrivals.c).
# $VW_VERIFY_MANY: how many.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")/lib/common.sh"
. "$LAB_DIR/lib/test.sh"

many=${VW_VERIFY_MANY:-200} seconds=60 within=15 frozen=4
lab_begin
"$lab" up --hosts alpha >/dev/null
export VIRT_WARDEN_DATADIR=$LAB_DIR/../.. VIRT_WARDEN_CONF=$work/warden.conf
on() # on COMMAND…
{
	"$lab" exec alpha "$@"
}

mkdir "$work/g"
"${CC:-cc}" -c -o "$work/tick.o" "$LAB_DIR/guest/tick.S"
ld -m elf_x86_64 -Ttext=0 --oformat binary -e start -o "$work/tick.rom" "$work/tick.o"
"${CC:-cc}" -std=c11 -D_GNU_SOURCE -shared -fPIC -Wall -Werror -o "$work/arrivals.so" \
	"$LAB_DIR/lib/arrivals.c" -ldl
guest() # guest NUMBER
{
	cat <<XML
<domain type='qemu'>
  <name>many$1</name>
  <uuid>00000000-0000-4000-8000-$(printf %012d "$1")</uuid>
  <memory unit='MiB'>4</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <loader readonly='yes' type='rom'>$work/tick.rom</loader>
  </os>
  <cpu mode='custom' match='exact' check='none'><model fallback='forbid'>486</model></cpu>
  <devices>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    <serial type='file'><source path='$work/g/many$1.console' append='on'/></serial>
  </devices>
</domain>
XML
}
began=$SECONDS
for i in $(seq "$many"); do
	guest "$i" >"$work/g/many$i.xml"
	echo "create $work/g/many$i.xml" >>"$work/g/start$((i % 2))"
done
starters=()
for half in 0 1; do
	on /usr/bin/virsh -q -c qemu:///system <"$work/g/start$half" >"$work/started$half" 2>&1 &
	starters+=($!)
done
wait "${starters[@]}"
tick_all() { [ "$(find "$work/g" -name '*.console' -size +0 | wc -l)" = "$many" ]; }
until_true 20 tick_all || fail "not all guests live: $(cat "$work"/started?)"
echo "$many guests started in $((SECONDS - began)) s"

# The agent; its log with the time of each line.
mkfifo "$work/arrivals"
printf '[verify]\nsample-seconds = 30\n[alerts]\nlog = no\n' >"$work/warden.conf"
on env LD_PRELOAD="$work/arrivals.so" VW_ARRIVALS="$work/arrivals" \
	"$VW_BUILD/virt-wardend" --foreground 2>&1 >"$work/agent.out" |
	while IFS= read -r line; do echo "$EPOCHREALTIME $line"; done >>"$work/agent" &
until_true 30 grep -q 'domains compared' "$work/agent" || fail "no agent: $(cat "$work/agent")"
agent=$(on pgrep -x virt-wardend)
memory() { on grep -E "$1" "/proc/$agent/status" | tr -cd 0-9; }
verdicts() { grep -cE "^[0-9.]+ many[0-9]+: $1" "$work/agent" || true; }
verdicts_are() { [ "$(verdicts "$1")" -ge "$2" ]; }
exec 4>"$work/arrivals"
arrive() # arrive NUMBER
{
	echo "$EPOCHREALTIME $1" >>"$work/arrived"
	printf '00000000-0000-4000-8000-%012d\n' "$1" >&4
}

# Once to and fro, so that all code has run; then the memory of an agent at rest.
arrive 1
until_true 30 verdicts_are 'healthy after its migration' 1 || fail "no verdict: $(cat "$work/agent")"
: >"$work/arrived"
: >"$work/agent"
sleep 1
for ((i = 1; i <= frozen; i++)); do
	on sh -c "kill -STOP \$(cat /run/libvirt/qemu/many$((i * many / frozen)).pid)"
done
before=$(memory RssAnon)
most=$before began=${EPOCHREALTIME/./}
for i in $(seq "$many"); do
	arrive "$i"
	[ $((i % 10)) != 0 ] || { now=$(memory RssAnon) && [ "$now" -le "$most" ] || most=$now; }
	left=$((began + i * seconds * 1000000 / many - ${EPOCHREALTIME/./}))
	[ $left -le 0 ] || sleep "$(printf '%d.%06d' $((left / 1000000)) $((left % 1000000)))"
done
took=$(((${EPOCHREALTIME/./} - began) / 1000000))
until_true 120 verdicts_are '[a-z]+ after its migration' "$many" ||
	fail "$(verdicts '[a-z]+ after its migration') verdicts of $many: $(tail -n 3 "$work/agent")"
sleep 1
after=$(memory RssAnon)

join -1 2 -2 2 <(sort -k 2,2 "$work/arrived") \
	<(sed -nE 's/^([0-9.]+) many([0-9]+): ([a-z]+) after its migration.*/\1 \2 \3/p' "$work/agent" | sort -k 2,2) |
	awk '{ printf "%.1f %s %s\n", $3 - $2, $4, $1 }' | sort -n >"$work/seconds"
awk -v took="$took" '{ n++; sum += $1; of[$2]++; if ($1 > most) most = $1 } END {
	printf "%d arrived in %d s; verdicts after %.1f s on average, %.1f s at most:", n, took, sum / n, most
	for (v in of) printf " %d %s", of[v], v; printf "\n" }' "$work/seconds"
echo "agent: RssAnon $before kB, $most kB at most, $after kB afterwards"

[ "$(wc -l <"$work/seconds")" = "$many" ] || fail "not one verdict each: $(cat "$work/agent")"
[ "$took" -le $((seconds + 5)) ] || fail "the machine is too busy: $many arrived in $took s"
late=$(awk -v within=$within '$1 > within' "$work/seconds")
[ -z "$late" ] || fail "later than $within s: $late"
wrong=$(awk -v each=$((many / frozen)) '($2 != ($3 % each ? "healthy" : "failed"))' "$work/seconds")
[ -z "$wrong" ] || fail "wrong verdicts: $wrong; $(grep -vE 'healthy after' "$work/agent" | tail -n 20)"
[ $((most - before)) -le 2048 ] && [ $((after - before)) -le 512 ] || fail "the agent's memory grew"
others() { on ps -o stat=,args= --ppid "$agent" | grep -v 'verify --watch-all'; }
until_true 10 eval '! others' || fail "left behind: $(others)"
