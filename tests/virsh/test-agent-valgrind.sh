#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Memory of the agent under valgrind: connect, fix, put back, undefine, a lost libvirtd, SIGHUP, end.
# timeout: 150
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
lab_start
on valgrind -q --leak-check=full --errors-for-leak-kinds=definite --error-exitcode=99 --trace-children=no \
	--child-silent-after-fork=yes --log-file="$tmp/valgrind" \
	"$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" >"$agent_log" 2>&1 &
job=$!
wait_for 40 agent_is_up || fail "the agent does not come up: $(cat "$agent_log")"
generic web1 >"$tmp/web1.xml"
plain define "$tmp/web1.xml" >"$tmp/out"
wait_for 30 stored_is web1 "bus='virtio'" || fail "not fixed"
stored web1
sed "s,cache='none',cache='writeback'," "$tmp/xml" >"$tmp/back.xml"
plain define "$tmp/back.xml" >"$tmp/out"
wait_for 30 stored_is web1 "rule=.disk-cache." || fail "not recognised as put back"
"$top/tests/lab/lab" restart alpha
wait_for 20 grep -c 'connection is lost' "$agent_log" >"$tmp/out" || fail "libvirtd's end is not seen"
wait_for 40 agent_is_up
plain undefine web1 >"$tmp/out"
agent_signal HUP
sleep 3
agent_signal TERM
status=0
wait $job || status=$?
[ "$status" = 0 ] && [ ! -s "$tmp/valgrind" ] || fail "exit $status: $(cat "$tmp/valgrind")"
