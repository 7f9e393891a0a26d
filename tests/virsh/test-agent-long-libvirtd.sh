#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# libvirtd is killed (-9) at random instants while domains are defined and fixed: the agent is back
# within seconds, nothing is lost, all are fixed at the end. VW_LONG=yes: 20 times.
# timeout: 900
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib-agent.sh"
if [ "${VW_LONG-}" = yes ]; then
	export KILLS=${KILLS:-20} DEFINES=${DEFINES:-200}
fi
printf '[agent]\nquiet-seconds = 0\n' >"$VIRT_WARDEN_CONF"
long_start
long_python <<'PYTHON'
from agentlab import *

kills, defines = number("KILLS", 6), number("DEFINES", 60)
agent = Agent()
agent.start()
agent.wait_up()
states = references(connect(), agent)
domains = [Domain(f"vm{i}") for i in range(defines)]
turn, again = threading.Semaphore(0), 0


def patient(fn):
    """As a client does whose libvirtd went away: once more, unless it was done."""
    global again
    end = time.monotonic() + 30
    while True:
        try:
            conn = connect()
            return fn(conn)
        except libvirt.libvirtError as e:
            if time.monotonic() > end:
                fail(f"libvirtd does not come back: {e}")
            again += 1
            time.sleep(0.05)


def define(d):
    def once(conn):
        if d.name not in [x.name() for x in conn.listAllDomains()]:
            d.define(conn)

    patient(once)


def define_all():
    for d in domains:
        turn.acquire()
        define(d)


def kill_libvirtd():
    try:
        with open("/run/libvirtd.pid") as f:
            os.kill(int(f.read()), signal.SIGKILL)
        return True
    except (ProcessLookupError, ValueError):  # it is about to come back
        return False


def connections():
    return len([x for x in agent.lines() if ": connected, libvirt" in x])


definer = in_background(define_all)
back = []
for k in range(kills):
    for _ in range(defines * k // kills, defines * (k + 1) // kills):
        turn.release()
    time.sleep(random.uniform(0, 0.25))
    before = connections()
    wait_for(20, "libvirtd is killed", kill_libvirtd)
    # Every third time the next one follows at once, while it comes back.
    if k % 3:
        patient(lambda conn: conn.getHostname())
        back.append(wait_for(10, "the agent is connected again", lambda: connections() > before))
definer.join()
took = wait_fixed(20, domains, states, patient)
agent.settle()
wait_fixed(0, domains, states, patient)
if patient(lambda conn: len(conn.listAllDomains())) != defines + 1:
    fail("a domain is lost")
for d in domains:
    check_history(d, states, unread=True)
agent.stop()
for line in agent.lines():
    if re.search("put back|does not settle|refuses", line):
        fail(f"the agent said: {line}")
print(f"{kills} kills of libvirtd, {defines} defines, {again} tried again; the agent was back {max(back):.1f} s after "
      f"libvirtd at the latest; all fixed {took:.1f} s after the last define")
PYTHON
