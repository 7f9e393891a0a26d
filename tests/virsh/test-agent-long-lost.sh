#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A client changes a domain again in the instant in which the agent stores its fix of the first
# change: the client's last version holds, and is in the history. VW_LONG=yes: 2,000 rounds.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export ROUNDS=${ROUNDS:-2000}
fi
printf '[agent]\nquiet-seconds = 0\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
long_start
long_python <<'PYTHON'
from agentlab import *

rounds = number("ROUNDS", 150)
conn = connect()
agent = Agent()
agent.start()
agent.wait_up()
references(conn, agent)


def memory(text):
    return int(re.search(r"<memory unit='KiB'>(\d+)<", text).group(1)) // 1024


for k in range(rounds):
    d = Domain(f"vm{k}")
    mine = 300 + k
    d.define(conn)
    time.sleep(random.uniform(0, 0.006))
    conn.defineXML(d.xml.replace(">256<", f">{mine}<"))
    # For an instant it may be overwritten: until the agent has seen that, and given it back.
    time.sleep(0.06)
    wait_for(5, f"round {k}: {d.name} has {mine}", lambda: memory(d.config(conn)) == mine)
    # If it came when the fix was stored already, it put that back by hand: then that is recorded.
    wait_for(10, f"{d.name} is dealt with", lambda: re.search("bus='virtio'|<w:skip", d.config(conn)))
    if memory(d.config(conn)) != mine:
        fail(f"round {k}: {d.name} has {memory(d.config(conn))} in the end, not {mine}")
    if not any(memory(v[2]) == mine and "bus='ide'" in v[2] for v in history(d.uuid)):
        fail(f"round {k}: the client's version of {d.name} is not in the history: {[v[:2] for v in history(d.uuid)]}")
    conn.lookupByUUIDString(d.uuid).undefine()
    os.unlink(f"{TMP}/{d.name}.img")
agent.settle()
agent.stop()
for line in agent.lines():
    if re.search("does not settle|refuses|error|is undefined again", line):
        fail(f"the agent said: {line}")
print(f"{rounds} rounds: none lost")
PYTHON
