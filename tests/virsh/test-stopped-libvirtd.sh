#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirtd is stopped (kill -STOP): whatever of ours asks it ends within its bound, with the right
# exit status and words; what needs no libvirtd is there at once; SIGTERM and SIGINT are heard; the
# agent says so and goes on by itself. The rows of the tables run at the same time.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
printf '[agent]\ncompare-interval = 1\n' >"$VIRT_WARDEN_CONF" # the agent is in a call when libvirtd stops
lab_start
cc -shared -fPIC -std=c11 -D_GNU_SOURCE -o "$tmp/at-define.so" "$top/tests/virsh/lib/at-define.c" -ldl
mkdir "$tmp/at"
generic web1 >"$tmp/web1.xml"
generic web2 >"$tmp/web2.xml"
generic new1 >"$tmp/new1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
plain define "$tmp/web2.xml" >"$tmp/out"
agent_start --connect qemu:///system
uuid=$(uuid_of web1)
libvirtd=$(on cat /run/libvirtd.pid)
state_dir=/var/lib/virt-warden

# --- a change that was sent, and no answer: nobody knows whether it was done -----------------
echo "kill -STOP $libvirtd" >"$tmp/at/web2.before"
run 3 on env AT_DEFINE="$tmp/at" LD_PRELOAD="$tmp/at-define.so" VIRT_WARDEN_STATEDIR=/var/lib/other "$VW_BUILD/virt-warden" fix web2
has "$tmp/err" 'web2: libvirtd was asked to change it and does not answer: whether it did is not known; .*virt-warden history web2'
# The agent was compared every second: it has noticed, too.
is_silent() { agent_state | grep -qE '^connection down .* silent=[1-9]'; }
wait_for 15 is_silent || fail "the agent does not say that libvirtd is silent: $(agent_state)"
has "$agent_log" 'libvirtd does not answer'

rows_end() { # the agent's job goes on
	local jobs
	mapfile -t jobs < <(jobs -p | grep -vx "$agent_job")
	wait "${jobs[@]}"
}

# --- what ends by itself: NAME | seconds | exit | words (of stdout and stderr) | command -------
command() { on timeout -s KILL 60 "$VW_BUILD/virt-warden" "$@"; }
rows=()
row() { # row NAME SECONDS STATUS WORDS ARGUMENT…
	local name=$1 bound=$2 want=$3 words=$4
	shift 4
	rows+=("$name")
	(
		begin=${EPOCHREALTIME/./} rc=0
		command "$@" </dev/null >"$tmp/row.$name" 2>&1 || rc=$?
		ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
		if [ $rc != "$want" ]; then
			echo "exit $rc, not $want"
		elif [ $ms -gt $((bound * 1000)) ]; then
			echo "$ms ms, not ${bound}000"
		elif ! grep -qE -- "$words" "$tmp/row.$name"; then
			echo "does not say: $words"
		else
			echo "ok $ms ms"
		fi >"$tmp/row.$name.result"
	) &
}
slow=10 # seconds beyond its own bound that a row may take where all start at once on a busy machine; before: no end
silent='qemu:///system: libvirtd does not answer \(for 5 s\)'
row history-uuid 4 0 ' seen ' history "$uuid"
row history-print 4 0 '<name>web1</name>' history "$uuid" --print 1
row alerts 4 0 'no alert' alerts
row os-list $((1 + slow)) 0 'debian11' os list
row check-file $((1 + slow)) 1 'disk-cache' check "$tmp/new1.xml"
row history-name $((5 + slow)) 0 "$silent; this is of the last domain of that name" history web1
row history-nobody $((5 + slow)) 3 'neither libvirt nor the history' history nobody
row check-all $((5 + slow)) 3 "$silent" check --all
row check $((5 + slow)) 3 "$silent" check web1
row fix $((5 + slow)) 3 "$silent" fix web1
row fix-all $((5 + slow)) 3 "$silent" fix --all
row mode $((5 + slow)) 3 "$silent" mode web1 audit
row undo $((5 + slow)) 3 "$silent" undo web1
row os-detect $((5 + slow)) 3 "$silent" os detect web1
row os-set $((5 + slow)) 3 "$silent" os set web1 debian11
row new-define $((5 + slow)) 3 "$silent" new --os debian11 --name made --disk "path=$tmp/made.img,size=1" --network default --define
row status $((5 + slow)) 3 "^libvirt .*$silent" status
row doctor $((5 + slow)) 1 "^libvirt +fail .*$silent" doctor
row status-json $((5 + slow)) 3 '"version": 1' status --json
row facts $((9 + slow)) 3 'no answer within 9 s' facts qemu:///system
row preflight $((9 + slow)) 3 'no answer within 9 s' preflight web1 qemu:///system
row matrix $((9 + slow)) 3 'no answer|9 s' matrix qemu:///system
row verify $((12 + slow)) 3 'unknown' verify web1
rows_end
bad=0
for name in "${rows[@]}"; do
	echo "$name: $(cat "$tmp/row.$name.result")"
	[[ $(cat "$tmp/row.$name.result") == ok* ]] || { bad=1 && sed 's/^/    /' "$tmp/row.$name"; }
done
[ $bad = 0 ] || fail "see above"
has "$tmp/row.status" 'to it libvirtd does not answer, for [0-9]+ s now'
has "$tmp/row.doctor" 'libvirtd does not answer it, for'
[ ! -e "$tmp/made.img" ] || fail "new made a disk"

# --- what waits, and is told to end: NAME | signal | command -----------------------------------
enders=()
ender() { # ender NAME SIGNAL COMMAND…: it is ended after it began to wait
	local name=$1 signal=$2
	shift 2
	enders+=("$name")
	(
		# shellcheck disable=SC2016 # for that bash
		on bash -c 'echo $$ >"$0"; exec "$@"' "$tmp/$name.pid" "$@" >"$tmp/ender.$name" 2>&1 </dev/null &
		job=$!
		wait_for 5 test -s "$tmp/$name.pid" || exit 1
		pid=$(cat "$tmp/$name.pid")
		waits() { [ "$(on cat "/proc/$pid/comm" 2>/dev/null)" != bash ] && on cat "/proc/$pid/wchan" 2>/dev/null | grep -qE 'poll|futex|wait|pause|fuse'; }
		wait_for 5 waits || { echo "does not wait" >"$tmp/ender.$name.result" && exit 1; }
		begin=${EPOCHREALTIME/./}
		on kill "-$signal" "$pid"
		ended=no
		for _ in {1..100}; do
			on kill -0 "$pid" 2>/dev/null || { ended=yes && break; }
			sleep 0.05
		done
		echo "$ended $(((${EPOCHREALTIME/./} - begin) / 1000))" >"$tmp/ender.$name.result"
		on kill -KILL "$pid" 2>/dev/null || true
		wait $job || true
	) &
}
# Each agent has directories of its own, and is connecting.
ender agent-connecting TERM env VIRT_WARDEN_STATEDIR=/var/lib/second "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/second.pid"
ender agent-int INT env VIRT_WARDEN_STATEDIR=/var/lib/third "$VW_BUILD/virt-wardend" --foreground
ender check-term TERM "$VW_BUILD/virt-warden" check --all
ender fix-int INT "$VW_BUILD/virt-warden" fix web1
ender verify-term TERM "$VW_BUILD/virt-warden" verify web1
ender verify-await TERM "$VW_BUILD/virt-warden" -c qemu:///system --quiet verify --await "$uuid"
ender sampler TERM "$VW_BUILD/virt-warden" -c qemu:///system verify --watch-all 1
ender virsh-int INT "$VW_BUILD/virsh" define "$tmp/new1.xml"
ender virsh-plain INT "$real" list
ender follow-term TERM "$VW_BUILD/virt-warden" alerts --follow
rows_end
for name in "${enders[@]}"; do
	read -r ended ms <"$tmp/ender.$name.result"
	echo "$name: ended: $ended, $ms ms"
	[ "$ended" = yes ] && [ "$ms" -le 2500 ] || fail "$name does not end: $ended $ms: $(cat "$tmp/ender.$name")"
done
[ ! -e "$tmp/second.pid" ] || fail "the agent left its pidfile"

# --- it goes on --------------------------------------------------------------------------------
on kill -CONT "$libvirtd"
wait_for 10 agent_is_up || fail "the agent is not connected again: $(agent_state)"
plain define "$tmp/new1.xml" >"$tmp/out"
becomes new1 "bus='virtio'"

# --- stopped in the middle of a call of the agent's: SIGTERM ends it within 2 s ------------------
in_call() { on cat "/proc/$(agent_pid)/syscall" | grep -qE '^[0-9]+ 0x[0-9a-f]+ 0x[0-9a-f]+ 0xf{8,16} '; } # poll, for ever
on kill -STOP "$libvirtd"
wait_for 5 in_call || fail "the agent is not in a call: $(agent_state)"
begin=${EPOCHREALTIME/./}
agent_stop
ms=$(((${EPOCHREALTIME/./} - begin) / 1000))
[ $ms -le 2500 ] || fail "SIGTERM: $ms ms"
! on test -e "$state_dir/run/agent" || fail "the agent left its state"
echo "agent in a call: $ms ms"
on kill -CONT "$libvirtd"
