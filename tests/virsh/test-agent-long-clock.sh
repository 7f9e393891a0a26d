#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The wall clock jumps by an hour, a day, ten years, back and forth, and to before 1970: the agent
# goes on as if nothing was, says little, and the history stays in order and whole.
# VW_LONG=yes: 60 jumps.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export JUMPS=${JUMPS:-60}
fi
printf '[agent]\nquiet-seconds = 0\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
"${CC:-cc}" -std=c11 -Wall -Wextra -O2 -shared -fPIC -o "$tmp/clock.so" "$top/tests/virsh/lib/clock.c"
long_start
long_python <<'PYTHON'
import struct

from agentlab import *

jumps = number("JUMPS", 12)
HOUR, DAY, YEAR = 3600, 86400, 365 * 86400


def jump(seconds):
    # In place: it is mapped.
    with open(f"{TMP}/offset", "r+b" if os.path.exists(f"{TMP}/offset") else "w+b") as f:
        f.write(struct.pack("q", int(seconds)))


jump(0)
clock = {"LD_PRELOAD": f"{TMP}/clock.so", "CLOCK_OFFSET": f"{TMP}/offset"}
agent = Agent(env=clock)
agent.start()
agent.wait_up()
conn = connect()
states = references(conn, agent)
old = Domain("old")
old.define(conn)
wait_fixed(20, [old], states)
memory = 262144


def grow(d):
    """A change by its owner that nobody minds, with an event or without."""
    global memory
    memory += 1024
    if random.random() < 0.5:
        text = re.sub(r"(emory unit='KiB'>)\d+", rf"\g<1>{memory}", d.config(conn))
        conn.defineXML(text)
    else:
        conn.lookupByName(d.name).setMaxMemory(memory)


def is_kept(d):
    return f"<memory unit='KiB'>{memory}<" in history(d.uuid)[-1][2]


offsets = [HOUR, -HOUR, DAY, -DAY, 10 * YEAR, 10 * YEAR, -10 * YEAR, 0, 3 * YEAR, 0]
slowest, domains, times = 0, [old], set()
for k in range(jumps):
    jump(offsets[k % len(offsets)] if k < 2 * len(offsets) else random.uniform(-10 * YEAR, 10 * YEAR))
    lines, ticks, began = len(agent.lines()), agent.cpu_ticks(), time.monotonic()
    d = Domain(f"vm{k}")
    d.define(conn)
    slowest = max(slowest, wait_fixed(10, [d], states))
    domains.append(d)
    grow(old)
    slowest = max(slowest, wait_for(10, "the change is seen", lambda: is_kept(old)))
    if k % 5 == 4:
        with open("/run/libvirtd.pid") as f:
            os.kill(int(f.read()), signal.SIGKILL)
        wait_for(10, "the agent is connected again", lambda: any(": connected" in x for x in agent.lines()[lines:]))
        conn = wait_for(10, "libvirtd", lambda: os.path.exists("/run/libvirt/libvirt-sock")) and connect()
    agent.settle()
    said = agent.lines()[lines:]
    used = (agent.cpu_ticks() - ticks) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - began)
    if len(said) > 6 or used > 0.5:
        fail(f"jump {k}: {len(said)} lines, {used:.0%} of a CPU: {''.join(said)}")

# Before 1970 nothing can be dated: nothing is changed, which is said once; then back to work.
jump(-70 * YEAR)
late = Domain("late")
late.define(conn)
wait_for(10, "it is said", lambda: any("before 1970" in x for x in agent.lines()))
time.sleep(3)
if late.canonical(late.config(conn)) != states[0] or len([x for x in agent.lines() if "before 1970" in x]) != 1:
    fail(f"changed, or said more than once: {agent.tail()}")
jump(0)
wait_fixed(20, [late], states)
agent.settle()

# All there, in the order in which it came.
versions = history(old.uuid)
found = [int(re.search(r"<memory unit='KiB'>(\d+)<", v[2])[1]) for v in versions]
want = [262144] * len(states) + list(range(262144 + 1024, memory + 1, 1024))
if found != want:
    fail(f"the history of old goes {found}, not {want}, at {[v[3] for v in versions]}")
listed = subprocess.run([os.environ["VW_BUILD"] + "/virt-warden", "history", "old", "--json"], capture_output=True, text=True)
numbers = [v.get("n", v.get("version")) for v in json.loads(listed.stdout)["versions"]]
if numbers != list(range(1, len(want) + 1)):
    fail(f"virt-warden history lists {numbers}")
for d in domains[1:] + [late]:
    check_history(d, states)
agent.stop()
print(f"{jumps} jumps; a fix or a change took {slowest:.1f} s at most; {len(versions)} versions in order, "
      f"dated from {min(v[3] for v in versions)} to {max(v[3] for v in versions)}")
PYTHON
