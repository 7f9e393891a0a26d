#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The disk of history and state is full, and has space again, at random instants while domains are
# defined: nothing is changed that can't be kept, no version is half, it is said once each time, and
# with space all are fixed. VW_LONG=yes: 200 times during 200 defines.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export FILLS=${FILLS:-200} DEFINES=${DEFINES:-200}
fi
printf '[agent]\nquiet-seconds = 0\ncompare-interval = 2\n' >"$VIRT_WARDEN_CONF"
long_start
long_python <<'PYTHON'
from agentlab import *

fills, defines = number("FILLS", 15), number("DEFINES", 30)
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=16m,mode=0755,nr_inodes=0", "tmpfs", STATE], check=True)
conn = connect()
agent = Agent()
agent.start()
agent.wait_up()
states = references(conn, agent)
domains = [Domain(f"vm{i}") for i in range(defines)]
defined, turn = [], threading.Semaphore(0)


def define_all():
    own = connect()
    for d in domains:
        turn.acquire()
        time.sleep(random.uniform(0, 0.1))
        d.define(own)
        defined.append(d)


def fill(left):
    """All but so many bytes."""
    with open(f"{STATE}/full", "wb") as f:
        free = os.statvfs(STATE)
        try:
            os.posix_fallocate(f.fileno(), 0, max(4096, free.f_bavail * free.f_frsize - left))
        except OSError:
            pass


def look():
    """What was changed is in the history as it was."""
    for d in list(defined):
        text = d.canonical(d.config(conn))
        if text not in states:
            fail(f"{d.name} is neither the client's nor fixed:\n{text}")
        if text != states[0] and d.canonical(history(d.uuid)[0][2]) != states[0]:
            fail(f"{d.name} was changed, and is not in the history as it was")
        history(d.uuid)


definer = in_background(define_all)
for k in range(fills):
    for _ in range(defines * k // fills, defines * (k + 1) // fills):
        turn.release()
    time.sleep(random.uniform(0, 0.15))
    # A page or a few are left, so that it is full at any step of a version and of the state.
    fill(random.choice([0, 0, 4096, 8192, 12288, 20480, 40960]))
    time.sleep(random.uniform(0, 0.25))
    if k % 10 == 9:  # and dies then
        agent.kill()
        agent.start()
    look()
    os.unlink(f"{STATE}/full")
definer.join()
took = wait_fixed(60, domains, states)
agent.settle()
refused = [x for x in agent.lines() if "No space left" in x]
kinds = sorted({re.sub("vm[0-9]+|[0-9a-f-]{36}", "X", x.strip()) for x in refused})

# Full for a while: said once, unchanged; with space it is back to work by itself.
fill(0)
before = len(agent.lines())
extra = [Domain(f"extra{i}") for i in range(3)]
for d in extra:
    d.define(conn)
wait_for(10, "it is said", lambda: any("the history can't be kept" in x for x in agent.lines()[before:]))
time.sleep(5)
said = [x for x in agent.lines()[before:] if "the history can't be kept" in x]
if len(said) != 1 or len(agent.lines()) - before > 4:
    fail(f"said {len(said)} times: {agent.tail()}")
if any(d.canonical(d.config(conn)) != states[0] for d in extra):
    fail("changed, though it can't be kept")
os.unlink(f"{STATE}/full")
back = wait_fixed(20, extra, states)
agent.settle()
wait_fixed(0, domains + extra, states)
for d in domains + extra:
    check_history(d, states)
agent.stop()
# Nothing of a config that could not be kept is taken for somebody's wish at the next start.
agent.start()
agent.wait_up()
agent.settle()
wait_fixed(0, domains + extra, states)
agent.stop()
for line in agent.lines():
    if re.search("put back|does not settle|refuses", line):
        fail(f"the agent said: {line}")
print(f"{fills} times full, {defines} defines, all fixed {took:.1f} s after the last; "
      f"said {len(refused)} times: {kinds}; "
      f"full for 5 s: back to work {back:.1f} s later")
PYTHON
