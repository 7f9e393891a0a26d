# SPDX-License-Identifier: LGPL-2.1-or-later
# For the long tests of virt-wardend: the agent as a child that is killed and started, domains
# that are defined and compared with what they may look like, the history store read by its format.
import difflib
import json
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time
import traceback
import uuid

import libvirt

TMP = os.environ["tmp"]
STATE = "/var/lib/virt-warden"
CONFIG = libvirt.VIR_DOMAIN_XML_INACTIVE | libvirt.VIR_DOMAIN_XML_SECURE
SEED = int(os.environ.get("SEED", time.time_ns() % 1000000))
random.seed(SEED)
libvirt.registerErrorHandler(lambda opaque, error: None, None)


def number(name, default):
    return int(os.environ.get(name, default))


def fail(text):
    print(f"FAILED (SEED={SEED}): {text}", file=sys.stderr)
    for a in Agent.all:
        lines = [line for line in a.lines() if ": fixed: " not in line]
        print(f"--- {a.log}, but for what was fixed:\n{''.join(lines[-25:])}", file=sys.stderr)
    sys.stderr.flush()
    Agent.kill_all()
    os._exit(1)


def wait_for(seconds, what, test):
    """How long it took."""
    began = time.monotonic()
    while not test():
        if time.monotonic() > began + seconds:
            fail(f"not within {seconds} s: {what}")
        time.sleep(0.02)
    return time.monotonic() - began


class Agent:
    """virt-wardend in the lab; its log goes on over all its lives."""

    all = []

    def __init__(self, name="agent", state=STATE, wrap=(), env=None):
        self.log = f"{TMP}/{name}.log"
        self.state_file = f"{state}/run/agent"
        self.wrap = list(wrap)
        self.env = dict(os.environ, VIRT_WARDEN_STATEDIR=state, **(env or {}))
        self.process = None
        self.starts = 0
        Agent.all.append(self)

    @staticmethod
    def kill_all():
        for a in Agent.all:
            if a.process and a.process.poll() is None:
                a.process.kill()

    def start(self):
        self.starts += 1
        program = os.environ.get("AGENT", os.environ["VW_BUILD"] + "/virt-wardend")
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                self.wrap + [program, "--foreground"], stdout=log, stderr=log, env=self.env
            )

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self, seconds=15):
        self.process.terminate()
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            fail("the agent does not end")
        if status != 0:
            fail(f"the agent's exit status is {status}: {self.tail()}")

    def tail(self, n=8):
        return "".join(self.lines()[-n:])

    def lines(self):
        with open(self.log, errors="replace") as f:
            return f.readlines()

    def state(self):
        """{} unless this very process wrote it."""
        try:
            with open(self.state_file) as f:
                lines = f.read().splitlines()
        except OSError:
            return {}
        d = dict(line.split(" ", 1) for line in lines if not line.startswith(("connection", "error")))
        if d.get("pid") != str(self.process.pid):
            return {}
        for line in lines:
            if line.startswith("connection "):
                d["up"] = line.split()[1] == "up"
                d.update(w.split("=") for w in line.split()[3:])
        return d

    def is_up(self):
        d = self.state()
        return d.get("up") and int(d["compared"]) > 0

    def is_idle(self):
        d = self.state()
        return d.get("up") and d["waiting"] == "0"

    def wait_up(self, seconds=15):
        if self.process.poll() is not None:
            fail(f"the agent ended: {self.tail()}")
        return wait_for(seconds, f"the agent is up: {self.tail()}", self.is_up)

    def settle(self, seconds=60):
        time.sleep(1.3)  # the state file is at most a second old
        wait_for(seconds, "the agent settles", self.is_idle)

    def cpu_ticks(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            fields = f.read().rsplit(") ", 1)[1].split()
        return int(fields[11]) + int(fields[12])

    def memory(self, key="RssAnon"):
        with open(f"/proc/{self.process.pid}/status") as f:
            return int(re.search(rf"^{key}:\s+(\d+) kB", f.read(), re.M).group(1))


def connect():
    return libvirt.open("qemu:///system")


with open(f"{TMP}/generic.xml") as template:
    TEMPLATE = template.read()


class Domain:
    """One that a client defines. Its XML: generic.xml, made by lib.sh's generic @NAME@ @UUID@."""

    def __init__(self, name):
        self.name = name
        self.uuid = str(uuid.uuid5(uuid.NAMESPACE_DNS, name))
        image = f"{TMP}/{name}.img"
        self.xml = TEMPLATE.replace("@UUID@", self.uuid).replace("@NAME@", name)
        with open(image, "ab") as f:
            f.truncate(1 << 30)

    def define(self, conn):
        return conn.defineXML(self.xml)

    def config(self, conn):
        return conn.lookupByUUIDString(self.uuid).XMLDesc(CONFIG)

    def canonical(self, text):
        """Without what differs between two domains of that kind."""
        text = text.replace(f"/{self.name}.img'", "/@.img'")
        text = text.replace(f"<name>{self.name}</name>", "").replace(self.uuid, "")
        text = re.sub(r"<mac address='[^']*'/>", "", text)
        return re.sub(r"<genid>.*?</genid>", "", text)


def history_hash(data):
    h = 0xCBF29CE484222325
    for b in data:
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def history(domain_uuid, state=STATE):
    """[(cause, rules, xml, time)], oldest first; fails unless every file is whole."""
    directory = f"{state}/history/{domain_uuid}"
    found = []
    try:
        names = sorted(os.listdir(directory))
    except FileNotFoundError:
        return []
    for name in names:
        if name in (".lock", ".new") or re.fullmatch(r"gone-\d+", name):
            continue
        m = re.fullmatch(r"(\d{6,})-(\d+)\.xml", name)
        if not m:
            fail(f"{directory}/{name}: what is that?")
        with open(f"{directory}/{name}", "rb") as f:
            data = f.read()
        xml, _, trailer = data.rstrip(b"\n").rpartition(b"\n")
        fields = dict(w.split("=", 1) for w in trailer.decode().split() if "=" in w)
        if not data.endswith(b" -->\n") or fields["hash"] != history_hash(xml) or int(fields["size"]) != len(xml):
            fail(f"{directory}/{name}: not whole: {trailer!r}")
        if int(fields["n"]) != int(m[1]) or fields["time"] != m[2]:
            fail(f"{directory}/{name}: its last line is of another version: {trailer!r}")
        rules = fields.get("rules", "").replace("%20", " ")
        found.append((fields["cause"], rules, xml.decode(), int(m[2]), int(m[1])))
    numbers = [v[4] for v in found]
    if numbers and numbers != list(range(numbers[0], numbers[0] + len(numbers))):
        fail(f"{directory}: versions are missing: {numbers}")
    for a, b in zip(found, found[1:]):
        if a[2] == b[2]:
            fail(f"{directory}: version {b[4]} is the same as the one before it")
    return [v[:4] for v in found]


def references(conn, agent, name="reference"):
    """What a config may look like: the client's, after the host class, fixed."""
    d = Domain(name)
    d.define(conn)
    wait_for(60, f"the reference is fixed: {agent.tail()}", lambda: "bus='virtio'" in d.config(conn))
    agent.settle()
    states = [d.canonical(v[2]) for v in history(d.uuid)]
    if d.canonical(d.config(conn)) != states[-1] or "bus='virtio'" not in states[-1] or "bus='ide'" not in states[0]:
        fail(f"the reference is not fixed: {agent.tail()}")
    return states


def check_history(d, states, state=STATE, unread=False):
    """The client's first; whatever the agent made came of a version that is there. unread: libvirtd
    may have died before it told what it made of the agent's XML; then that one was kept."""
    versions = history(d.uuid, state)
    if not versions or d.canonical(versions[0][2]) != states[0]:
        fail(f"{d.name}: the client's version is not the first of the history")
    steps = [states.index(d.canonical(v[2])) if d.canonical(v[2]) in states else -1 for v in versions]
    if unread and len(steps) > 2 and steps[-2] == -1 and versions[-2][0] == "agent":
        del steps[-2]
    if -1 in steps or steps != sorted(set(steps)) or steps[-1] != len(states) - 1:
        fail(f"{d.name}: the history goes {steps} of {len(states) - 1}: {[v[:2] for v in versions]}")
    return steps


def in_background(fn):
    """A thread whose failure ends the test."""

    def run():
        try:
            fn()
        except Exception:
            fail(traceback.format_exc())

    t = threading.Thread(target=run, daemon=True)
    t.start()
    return t


def wait_fixed(seconds, domains, states, retry=lambda fn: fn(connect())):
    """Waits until each is fixed, and once settled is so still. How long it took."""

    def others(conn):
        texts = {d.name: d.canonical(d.config(conn)) for d in domains}
        return {name: text for name, text in texts.items() if text != states[-1]}

    end, began = time.monotonic() + seconds, time.monotonic()
    while left := retry(others):
        if time.monotonic() > end:
            name, text = next(iter(left.items()))
            diff = list(difflib.unified_diff(states[-1].split("\n"), text.split("\n"), "fixed", name, lineterm=""))
            fail(f"not fixed within {seconds} s: {sorted(left)}:\n" + "\n".join(diff[:40]))
        time.sleep(0.05)
    return time.monotonic() - began
