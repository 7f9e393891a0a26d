#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The agent is killed (-9) at random instants while domains are defined: none is lost or left
# half-changed, no version is lost. VW_LONG=yes: 200 times during 200 defines.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export KILLS=${KILLS:-200} DEFINES=${DEFINES:-200}
fi
long_start

# With the quiet second there are three states, without it two.
for quiet in 0 1; do
	printf '[agent]\nquiet-seconds = %s\n' $quiet >"$VIRT_WARDEN_CONF"
	long_python $quiet <<'PYTHON'
from agentlab import *

quiet = sys.argv[1]
kills, defines = number("KILLS", 20), number("DEFINES", 20)
conn = connect()
agent = Agent()
agent.start()
agent.wait_up()
states = references(conn, agent, f"reference{quiet}")
domains = [Domain(f"q{quiet}vm{i}") for i in range(defines)]
defined, turn, seen = [], threading.Semaphore(0), {}

def define_all():
    own = connect()
    for i, d in enumerate(domains):
        turn.acquire()
        time.sleep(random.uniform(0, 0.25))
        d.define(own)
        defined.append(d)

def look():
    """Nobody works on them now: each is exactly one of the states."""
    for d in list(defined):
        text = d.canonical(d.config(conn))
        if text not in states:
            fail(f"{d.name} is neither the client's nor fixed:\n{text}")
        seen[states.index(text)] = seen.get(states.index(text), 0) + 1

definer = in_background(define_all)
for k in range(kills):
    for _ in range(defines * k // kills, defines * (k + 1) // kills):
        turn.release()
    time.sleep(random.uniform(0, 0.6))
    agent.kill()
    look()
    agent.start()
definer.join()
agent.kill()
look()
agent.start()
took = wait_fixed(60, domains, states)
agent.settle()
wait_fixed(0, domains, states)
if len([n for n in conn.listAllDomains() if n.name().startswith(f"q{quiet}vm")]) != defines:
    fail("a domain is lost")
for d in domains:
    check_history(d, states)
agent.stop()
for line in agent.lines():
    if re.search("put back|does not settle|refuses", line):
        fail(f"the agent said: {line}")
print(f"quiet {quiet}: {kills} kills, {defines} defines; seen after a kill: {seen} of {len(states)} states; "
      f"all fixed {took:.1f} s after the last start")
PYTHON
done
