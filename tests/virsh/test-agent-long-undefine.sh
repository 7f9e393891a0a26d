#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Domains are undefined at random instants while the agent fixes them, and defined again with the
# same name and UUID: what is undefined is not brought back, what is defined is not lost, nothing is
# half. VW_LONG=yes: 2,000 rounds.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export ROUNDS=${ROUNDS:-2000}
fi
long_start
for quiet in 0 1; do
	printf '[agent]\nquiet-seconds = %s\ncompare-interval = 2\n' $quiet >"$VIRT_WARDEN_CONF"
	long_python $quiet <<'PYTHON'
from agentlab import *

quiet = sys.argv[1]
rounds = number("ROUNDS", 300)
conn = connect()
agent = Agent()
agent.start()
agent.wait_up()
states = references(conn, agent, f"reference{quiet}")
domains = [Domain(f"q{quiet}vm{i}") for i in range(6)]
there = {d.name: False for d in domains}
seen, back = {}, 0


def undefine(d):
    """As `virsh undefine --nvram` does; what comes back is gone again by itself."""
    conn.lookupByUUIDString(d.uuid).undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_NVRAM)


def names():
    return {x.name() for x in conn.listAllDomains()}


for k in range(rounds):
    d = random.choice(domains)
    if not there[d.name]:
        # Perhaps the agent's define came after the undefine: it takes that back within seconds.
        back += d.name in names()
        d.define(conn)
        there[d.name] = True
    else:
        text = d.canonical(d.config(conn))
        if text not in states:
            told = "\n".join(f"{v[0]}: {v[1]}" for v in history(d.uuid)[-6:])
            fail(f"{d.name} is neither the client's nor fixed:\n{text}\nIts history:\n{told}")
        seen[states.index(text)] = seen.get(states.index(text), 0) + 1
        undefine(d)
        there[d.name] = False
        if random.random() < 0.3:  # and at once defined again
            d.define(conn)
            there[d.name] = True
    if random.random() < 0.7:
        time.sleep(random.expovariate(1 / 0.008))
    if k % 200 == 199:
        time.sleep(0.7)
        agent.settle()
        if names() != {n for n in there if there[n]} | {f"reference{quiet}"} | {n for n in names() if not n.startswith(f"q{quiet}")}:
            fail(f"round {k}: there are {sorted(names())}, but should be {sorted(n for n in there if there[n])}")
        wait_fixed(20, [d for d in domains if there[d.name]], states)
for d in domains:
    if there[d.name]:
        undefine(d)
time.sleep(0.7)
agent.settle()
time.sleep(3)
if left := [n for n in names() if n.startswith(f"q{quiet}vm")]:
    fail(f"brought back from the dead: {left}")
for d in domains:
    history(d.uuid)
agent.stop()
lines = agent.lines()
for line in lines:
    if re.search("put back|does not settle|refuses", line):
        fail(f"the agent said: {line}")
taken = len([x for x in lines if "is undefined again" in x])
print(f"quiet {quiet}: {rounds} rounds; undefined when it was {seen} of {len(states)} states; "
      f"{taken} came back by our define and were undefined again, {back} of them met by a new define")
PYTHON
done
