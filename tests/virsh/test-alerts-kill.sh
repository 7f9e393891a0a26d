#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Nothing is lost and nothing is told twice: kill -9 of the agent and of the messenger between an
# alert and its delivery, several messengers at once, kill -9 at random instants, a full disk.
# KILLS in the environment makes it longer.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-alerts.sh"
kills=${KILLS:-15}
url=http://127.0.0.1:$webhook_port/
conf "webhook = $url" 'per-minute = 10000'
ids() { jq -r 'select(.mode == "ok") | .body | fromjson | "\(.id) \(.state)"' "$webhook_log" | sort; }
open_are() { [ "$(in_state open)" = "$1" ]; }
no_todo() { [ ! -e "$VIRT_WARDEN_STATEDIR/alerts/todo" ]; }

# The agent starts the messenger; both are killed before the webhook is up; the agent starts anew.
agent_start() { # without any libvirtd: it goes on trying, and alerts do not wait for that
	"$VW_BUILD/virt-wardend" --foreground -c test:///default >"$tmp/agent.log" 2>&1 &
	agent_pid=$!
}
messenger_of_agent() { pgrep -x virt-warden-ale >"$tmp/pids"; }
agent_start
sleep 1
alert raise verify-failed web1 $uuid beta 2 'web1 is dead' >"$tmp/id"
wait_for 10 messenger_of_agent || fail "the agent starts no messenger: $(cat "$tmp/agent.log")"
sleep 1.5
fds=$(find "/proc/$(head -n 1 "$tmp/pids")/fd" -lname '*socket*' -o -lname '*eventfd*' -o -lname '*.log' | wc -l)
[ "$fds" = 0 ] || fail "the messenger has $fds descriptors of the agent"
kill -KILL "$agent_pid" "$(head -n 1 "$tmp/pids")"
wait "$agent_pid" 2>/dev/null || true
webhook_start
sleep 1
[ "$(requests)" = 0 ] || fail "delivered by nobody"
agent_start
wait_for 15 delivered_is 1 raised || fail "not delivered after the restart: $(cat "$tmp/agent.log")"
wait_for 10 no_todo || fail "the queue is not empty"
alert resolve verify-failed $uuid beta # the agent sees it by itself
wait_for 10 delivered_is 1 resolved || fail "the end is not delivered"
# The messenger alone is killed while the webhook hangs.
webhook_mode hang
alert raise second web1 $uuid beta 2 'again' >"$tmp/id"
wait_for 10 messenger_of_agent || fail "no messenger"
sleep 1
kill -KILL "$(head -n 1 "$tmp/pids")"
webhook_mode ok
wait_for 15 delivered_is 2 raised || fail "not delivered after the messenger's death"
sleep 2
delivered_is 2 raised && delivered_is 3 . || fail "told twice: $(ids)"
kill "$agent_pid"
wait "$agent_pid" || true
alert resolve second $uuid beta
messenger_start
messenger_ends 10

# Five messengers at once, hundred alerts: each once.
: >"$webhook_log"
alert many 100 flood beta
pids=()
for _ in 1 2 3 4 5; do
	"$messenger" 2>>"$tmp/messenger.err" &
	pids+=($!)
done
for pid in "${pids[@]}"; do wait "$pid" || fail "a messenger failed: $(cat "$tmp/messenger.err")"; done
[ "$(requests)" = 100 ] && [ "$(ids | uniq | wc -l)" = 100 ] || fail "$(requests) requests for 100 alerts"

# Killed at random instants: each once all the same, for what a killed messenger's child had under
# way it notes itself.
: >"$webhook_log"
alert many 150 second-flood beta
RANDOM=${SEED:-$$}
for _ in $(seq "$kills"); do
	messenger_start
	sleep "0.$(printf '%03d' $((RANDOM % 120)))"
	kill -KILL "$messenger_pid" 2>/dev/null || true
	wait "$messenger_pid" 2>/dev/null || true
done
killed=$(ids | uniq | wc -l)
for _ in 1 2 3; do # the first may find the lock taken still
	messenger_start
	messenger_ends 30
done
echo "$kills kills: $(ids | uniq | wc -l) of 150 delivered ($killed before the last), $(($(requests) - 150)) told twice"
[ "$(ids | uniq | wc -l)" = 150 ] && [ "$(requests)" = 150 ] || fail "$(requests) requests for 150 alerts"

# A full disk: raise says so; what is delivered is delivered once, and noted when there is room.
: >"$webhook_log"
VIRT_WARDEN_STATEDIR=$tmp/small
mkdir -p "$tmp/small"
mount -t tmpfs -o size=256k,mode=0700 tmpfs "$tmp/small"
id=$(alert raise verify-failed web1 $uuid beta 2 'web1 is dead')
mkdir -p "$tmp/small/x"
cat /dev/zero >"$tmp/small/x/fill" 2>/dev/null || true
run 1 alert raise other web1 $uuid beta 2 'web1 is dead, too'
has "$tmp/err" 'alerts: cannot keep an alert: No space left on device; free some space there'
messenger_start
wait_for 10 delivered_is 1 raised || fail "a full disk stops delivery: $(cat "$tmp/messenger.err")"
sleep 6
[ "$(requests)" = 1 ] || fail "told $(requests) times while the disk was full"
has "$tmp/messenger.err" 'cannot note what was delivered: No space left'
rm "$tmp/small/x/fill"
messenger_ends 15
[ -e "$tmp/small/alerts/$id.told" ] && open_are 1 || fail "not noted"
messenger_start
messenger_ends 10
[ "$(requests)" = 1 ] || fail "told again"
umount "$tmp/small"
