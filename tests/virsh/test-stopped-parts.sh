#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Other parts are stopped, one a row: sinks of alerts, the journal, systemd's socket, a file server with
# disks or with our state on it, a pipe that says nothing. Whatever runs ends within its bound, or, where it waits
# because it must, within 2 s of SIGTERM. All rows of a table run at the same time.
# timeout: 90
# shellcheck disable=SC2016,SC2030,SC2031 # text for others; a row is a subshell with an environment of its own
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
[ -e /dev/fuse ] || mknod /dev/fuse c 10 229
command=$VW_BUILD/virt-warden
slow=8 # seconds that a row may take beyond its bound where all start at once; before: no end

# --- what is stopped -----------------------------------------------------------------------------
hang=$tmp/hang
mkdir "$hang"
trap 'end_jobs 2>/dev/null; umount -l "$hang" "$tmp/state/agent-history/alerts" 2>/dev/null || true; cleanup' EXIT
/usr/bin/python3 "$top/tests/hook/fuse-hang.py" "$hang" &
wait_for 10 grep -q " $hang " /proc/mounts || fail "no hung mount"
mkdir -p /run/systemd/journal
/usr/bin/python3 -c '
import socket, signal
sockets = []
for path in ("/run/systemd/journal/socket", "/run/notify", "/dev/log"):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(path)
    sockets.append(s)
    c = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    c.setblocking(False)
    try:
        while True:
            c.sendto(b"x", path)
    except BlockingIOError:
        pass
open("/run/full", "w").close()
signal.pause()' &
wait_for 10 test -e /run/full || fail "the sockets are not full"
webhook_mode hang
webhook_start
mkfifo "$tmp/silence"
exec 8<>"$tmp/silence"
mkdir "$tmp/bin"
printf '%s\n' '#!/bin/bash' 'exec sleep 100' >"$tmp/bin/ssh" # a host that is reached and says nothing
chmod 0755 "$tmp/bin/ssh"
deaf=$tmp/deaf # a program that hears no SIGTERM
printf '%s\n' '#!/bin/bash' 'trap "" TERM INT' ': >"$1.ran"' 'while :; do sleep 100; done' >"$deaf"
chmod 0755 "$deaf"

# own NAME: a state directory and a warden.conf of its own, for a row.
own() {
	mkdir -p "$tmp/own/$1/alert.d" "$tmp/state/$1"
	chmod 0755 "$tmp/own" "$tmp/own/$1" "$tmp/own/$1/alert.d"
	export VIRT_WARDEN_CONF=$tmp/own/$1/warden.conf VIRT_WARDEN_STATEDIR=$tmp/state/$1
}

# --- what waits and is told to end ---------------------------------------------------------------
enders=()
ender() { # ender NAME SIGNAL READY COMMAND…: READY is run until it succeeds, then the signal is sent
	local name=$1 signal=$2 ready=$3 pid begin ended=no
	shift 3
	env --default-signal=INT "$@" >"$tmp/ender.$name" 2>&1 <"$tmp/silence" & # a job ignores SIGINT
	pid=$!
	if ! wait_for 15 eval "$ready"; then
		echo "never 0 $ready" >"$tmp/ender.$name.result"
	else
		begin=${EPOCHREALTIME/./}
		kill "-$signal" "$pid"
		for _ in {1..120}; do
			[[ -e /proc/$pid && $(ps -o stat= -p "$pid") != Z* ]] || { ended=yes && break; }
			sleep 0.05
		done
		echo "$ended $(((${EPOCHREALTIME/./} - begin) / 1000))" >"$tmp/ender.$name.result"
	fi
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}
messenger_row() { # messenger_row NAME READY CONF…
	local name=$1 ready=$2
	shift 2
	own "$name"
	conf "$@"
	alert raise verify-failed web1 $uuid beta 2 dead >/dev/null
	ender "$name" TERM "$ready" "$messenger"
}
stopped_child() { # the messenger's child that speaks to a sink is stopped itself
	local name=$1 child
	own "$name"
	conf "webhook = http://127.0.0.1:$webhook_port/"
	alert raise verify-failed web1 $uuid beta 2 dead >/dev/null
	stop_it() { child=$(pgrep -P "$pid" | head -n 1) && [ -n "$child" ] && kill -STOP "$child"; }
	ender "$name" TERM stop_it "$messenger"
}
waits='grep -qE "poll|futex|wait|fuse|request|pipe" /proc/$pid/wchan && grep -q virt-warden /proc/$pid/comm'
{
	messenger_row webhook 'grep -q hang "$webhook_log"' "webhook = http://127.0.0.1:$webhook_port/" &
	enders+=(webhook)
	(own script && printf '%s\n' '#!/bin/bash' "exec $deaf $tmp/script" >"$tmp/own/script/alert.d/10-deaf" &&
		chmod 0755 "$tmp/own/script/alert.d/10-deaf" && messenger_row script 'test -e "$tmp/script.ran"') &
	enders+=(script)
	sed "s,: >.*,: >$tmp/mail.ran," "$deaf" >"$tmp/sendmail"
	chmod 0755 "$tmp/sendmail"
	messenger_row mail 'test -e "$tmp/mail.ran"' 'mail-to = root@example.org' "sendmail = $tmp/sendmail" &
	enders+=(mail)
	(stopped_child sink-child) &
	enders+=(sink-child)
	messenger_row journal "$waits" 'log = yes' "webhook = http://127.0.0.1:$webhook_port/" &
	enders+=(journal)
	(
		own messenger-state
		conf 'log = no'
		export VIRT_WARDEN_STATEDIR=$hang/state
		ender messenger-state TERM "$waits" "$messenger"
	) &
	enders+=(messenger-state)
	(
		own agent-parts
		export NOTIFY_SOCKET=/run/notify WATCHDOG_USEC=2000000
		ender agent-parts TERM 'grep "^connection" "$VIRT_WARDEN_STATEDIR/run/agent" >"$VIRT_WARDEN_STATEDIR.seen"' \
			"$VW_BUILD/virt-wardend" --foreground -c qemu:///session
	) &
	enders+=(agent-parts)
	(own agent-state && VIRT_WARDEN_STATEDIR=$hang/agent ender agent-state TERM "$waits" "$VW_BUILD/virt-wardend" --foreground) &
	enders+=(agent-state)
	(
		own agent-history # the queue of alerts alone hangs
		mkdir "$VIRT_WARDEN_STATEDIR/alerts"
		mount --bind "$hang" "$VIRT_WARDEN_STATEDIR/alerts"
		ender agent-history TERM "$waits" "$VW_BUILD/virt-wardend" --foreground -c qemu:///session
	) &
	enders+=(agent-history)
	for verb in alerts "history $uuid" status doctor; do
		name=state-${verb%% *}
		# shellcheck disable=SC2086 # words
		(own "$name" && VIRT_WARDEN_STATEDIR=$hang/$name ender "$name" INT "$waits" "$command" -c test:///default $verb) &
		enders+=("$name")
	done
	(own file && ender file INT "$waits" "$command" os detect "$hang/cd.iso") &
	enders+=(file)
	(own stdin && ender stdin TERM "$waits" "$command" check -) &
	enders+=(stdin)
	(own stdin-fix && ender stdin-fix INT "$waits" "$command" fix -) &
	enders+=(stdin-fix)
	(own follow && ender follow INT "$waits" "$command" alerts --follow) &
	enders+=(follow)
}

all_done() {
	for name in "${enders[@]}"; do [ -e "$tmp/ender.$name.result" ] || return 1; done
	for name in "${rows[@]}"; do [ -e "$tmp/row.$name.result" ] || return 1; done
}

# --- what ends by itself -------------------------------------------------------------------------
generic disk >"$tmp/disk.xml"
sed "s,$tmp/disk.img,$hang/disk.img,; s,<name>disk<,<name>hung<," "$tmp/disk.xml" >"$tmp/hung.xml"
rows=()
row() { # row NAME SECONDS STATUS WORDS COMMAND…
	local name=$1 bound=$2 want=$3 words=$4 begin rc=0 ms
	shift 4
	own "$name"
	begin=${EPOCHREALTIME/./}
	timeout -s KILL 40 "$@" </dev/null >"$tmp/row.$name" 2>&1 || rc=$?
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
}
begin_row() {
	rows+=("$1")
	row "$@" &
}
begin_row disk-check $((2 + slow)) 1 'disk-cache' "$command" check "$tmp/hung.xml"
begin_row disk-fix $((2 + slow)) 1 "hung.xml|hung" "$command" fix "$tmp/hung.xml"
begin_row file-fifo $((5 + slow)) 3 'nothing came from the pipe' "$command" check "$tmp/silence"
begin_row ssh $((9 + slow)) 3 'no answer within 9 s' env PATH="$tmp/bin:$PATH" "$command" facts qemu+ssh://nobody/system
begin_row tcp $((9 + slow)) 3 'no answer within 9 s' "$command" facts "qemu+tcp://127.0.0.1:$webhook_port/system"

# Only the rows: what is stopped, and stands still, goes on.
wait_for 60 all_done || fail "no end of: $(for name in "${enders[@]}"; do [ -e "$tmp/ender.$name.result" ] || echo "$name"; done)"
bad=0
for name in "${enders[@]}"; do
	read -r ended ms why <"$tmp/ender.$name.result"
	echo "$name: ended: $ended, $ms ms $why"
	[ "$ended" = yes ] && [ "$ms" -le 4000 ] || { bad=1 && sed 's/^/    /' "$tmp/ender.$name"; }
done
for name in "${rows[@]}"; do
	echo "$name: $(cat "$tmp/row.$name.result")"
	[[ $(cat "$tmp/row.$name.result") == ok* ]] || { bad=1 && sed 's/^/    /' "$tmp/row.$name"; }
done
[ $bad = 0 ] || fail "see above"
# The agent went on although neither the journal nor systemd took what it said.
has "$tmp/state/agent-parts.seen" '^connection down qemu:///session '
! pgrep -f "$deaf $tmp/script" >"$tmp/out" || fail "the script was left behind"
