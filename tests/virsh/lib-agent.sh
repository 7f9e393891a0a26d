# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What the tests of virt-wardend share, beside lib.sh: start it in a lab, wait for what it does.

# shellcheck source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export VIRT_WARDEN_STATEDIR=/var/lib/virt-warden # the lab host's own
agent_log=$tmp/agent.log
printf '[agent]\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"

# agent_start [OPTION]…: in the background, in the lab; waits until it is connected and has compared all.
# shellcheck disable=SC2120 # most tests need no option
agent_start() {
	on "$VW_BUILD/virt-wardend" --foreground --pidfile "$tmp/agent.pid" "$@" >>"$agent_log" 2>&1 &
	agent_job=$!
	wait_for 10 agent_is_up || fail "the agent does not come up: $(cat "$agent_log")"
}
agent_pid() { cat "$tmp/agent.pid"; }
# The process id as seen from here (the lab has its own).
agent_state() { on cat /var/lib/virt-warden/run/agent 2>/dev/null; }
# A state that a killed agent left is none.
agent_is_up() {
	[ -e "$tmp/agent.pid" ] && agent_state >"$tmp/state" && grep -qx "pid $(agent_pid)" "$tmp/state" &&
		grep -qE '^connection up .*compared=[1-9]' "$tmp/state"
}
agent_signal() { on kill "-$1" "$(agent_pid)"; }
# Stopped, it sees nothing for a while. (nsenter(1) stops with it, and must be woken, too.)
agent_stall() { agent_signal STOP; }
agent_wake() { agent_signal CONT && pkill -CONT -P "$agent_job"; }
agent_stop() {
	agent_signal TERM
	wait_for 10 agent_is_gone || fail "the agent does not end"
}
agent_is_gone() { [ ! -e "$tmp/agent.pid" ]; }

# wait_for SECONDS COMMAND…: until it succeeds.
wait_for() {
	local until=$((SECONDS + $1))
	shift
	until "$@"; do
		[ $SECONDS -lt $until ] || return 1
		sleep 0.1
	done
}

# The real virsh, in the lab, without our wrapper.
plain() { on "$real" -q "$@"; }
stored_is() { stored "$1" 2>/dev/null && grep -qE -- "$2" "$tmp/xml"; }
# Waits until the config has it.
becomes() { wait_for 10 stored_is "$1" "$2" || fail "$1 does not get: $2 (agent: $(tail -n 5 "$agent_log"))"; }
# Nothing is due any more.
agent_is_idle() { agent_state | grep -E '^connection up ' >/dev/null && ! agent_state | grep -E ' waiting=[1-9]' >/dev/null; }
# The state file is at most a second old.
settled() { sleep 1.2 && wait_for 10 agent_is_idle || fail "the agent does not settle: $(agent_state)"; }

# How often the log says that about a domain.
said() { grep -cE -- "^$1: $2" "$agent_log" || true; }
# causes UUID: of all versions, in order, in one line.
causes() {
	on "$VW_BUILD/virt-warden" history "$1" --json | jq -r '[.versions[].cause] | join(" ")'
}
uuid_of() { plain domuuid "$1" | head -n 1; }

# The long tests are written in Python, and run in the lab: see lib/agentlab.py.
long_start() {
	generic @NAME@ @UUID@ >"$tmp/generic.xml"
	rm -f "$tmp/@NAME@.img"
	lab_start
}
# long_python [ARGUMENT]… <PROGRAM
# shellcheck disable=SC2120 # most need no argument
long_python() {
	on env tmp="$tmp" PYTHONPATH="$top/tests/virsh/lib" PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$@"
}
