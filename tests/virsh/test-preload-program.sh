#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A program other than virsh that loads the library: its defines are fixed, its error handler and
# last error hear only of its own calls, threads work, and it keeps no child and no descriptor of ours.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

generic NAME >"$tmp/generic.xml"
cat >"$tmp/program.py" <<'END'
import os, signal, sys, threading, libvirt

xml = open(sys.argv[1]).read().replace("s3kret", "")
heard = []
libvirt.registerErrorHandler(lambda ctx, err: heard.append(err[2]), None)
conn = libvirt.open("qemu:///system")

def make(name):
    return xml.replace("<name>NAME<", "<name>%s<" % name)

def fds():
    return len(os.listdir("/proc/self/fd"))

# A define that works: no error is heard, none is left.
dom = conn.defineXML(make("p0"))
assert "bus='virtio'" in dom.XMLDesc(), dom.XMLDesc()
assert heard == [], heard
assert libvirt.virGetLastError() is None

# One that fails: one error, the plain one, and it is the last one, too.
try:
    conn.defineXML(make("p0"))
    sys.exit("a name was defined twice")
except libvirt.libvirtError as e:
    assert "already exists with uuid" in str(e), e
assert len(heard) == 1 and "already exists" in heard[0], heard
assert "already exists" in libvirt.virGetLastError()[2]
heard.clear()
try:
    conn.defineXML("<domain")
    sys.exit("no XML was defined")
except libvirt.libvirtError as e:
    pass
assert len(heard) == 1, heard
heard.clear()

# Devices and starts.
disk = "<disk type='file' device='disk'><source file='%s'/><target dev='vdb' bus='virtio'/></disk>" % sys.argv[2]
dom.attachDeviceFlags(disk, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
assert dom.XMLDesc().count("cache='none'") == 2
try:
    dom.attachDeviceFlags(disk, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
    sys.exit("a disk was attached twice")
except libvirt.libvirtError as e:
    assert "vdb" in str(e), e
assert len(heard) == 1, heard
heard.clear()
dom.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED)
dom.destroy()
dom.undefine()

# No child is left, whatever the program does with SIGCHLD; no descriptor either.
for handler in signal.SIG_DFL, signal.SIG_IGN:
    signal.signal(signal.SIGCHLD, handler)
    before = fds()
    dom = conn.defineXML(make("p1"))
    assert "bus='virtio'" in dom.XMLDesc()
    dom.undefine()
    assert fds() == before, (fds(), before)
    assert signal.getsignal(signal.SIGCHLD) == handler
    try:
        os.waitpid(-1, os.WNOHANG)
        sys.exit("there is a child")
    except ChildProcessError:
        pass

# Eight threads on one connection, and failures among them.
wrong = []
def work(i):
    for j in range(4):
        dom = conn.defineXML(make("t%d-%d" % (i, j)))
        if "bus='virtio'" not in dom.XMLDesc():
            wrong.append(i)
        try:
            conn.defineXML(make("t%d-%d" % (i, j)))
            wrong.append(i)
        except libvirt.libvirtError as e:
            if "already exists" not in str(e):
                wrong.append(str(e))
        dom.undefine()
threads = [threading.Thread(target=work, args=(i,)) for i in range(8)]
for t in threads: t.start()
for t in threads: t.join()
assert not wrong, wrong
assert len(heard) == 32 and all("already exists" in h for h in heard), heard
print("done")
END
truncate -s 1M "$tmp/second.img"
run 0 on env LD_PRELOAD="$VW_BUILD/virsh-warden.so" /usr/bin/python3 "$tmp/program.py" "$tmp/generic.xml" "$tmp/second.img"
has "$tmp/out" '^done$'
has "$tmp/err" '^virt-warden: p0: [0-9]+ fixes'
hasnt "$tmp/err" 'Traceback|libvirt:'

# Without a handler libvirt prints errors itself: those of the program's calls, no others.
cat >"$tmp/plain.py" <<'END'
import sys, libvirt
conn = libvirt.open("qemu:///system")
xml = open(sys.argv[1]).read().replace("<name>NAME<", "<name>q<")
dom = conn.defineXML(xml)
try:
    conn.defineXML(xml)
except libvirt.libvirtError:
    pass
dom.undefine()
END
run 0 on env LD_PRELOAD="$VW_BUILD/virsh-warden.so" /usr/bin/python3 "$tmp/plain.py" "$tmp/generic.xml"
grep -v '^virt-warden:\|^  ' "$tmp/err" >"$tmp/ours" || true
run 0 on /usr/bin/python3 "$tmp/plain.py" "$tmp/generic.xml"
diff <(sed 's/[0-9a-f-]\{36\}/UUID/' "$tmp/ours") <(sed 's/[0-9a-f-]\{36\}/UUID/' "$tmp/err") || fail "other errors printed"
[ -s "$tmp/ours" ] || fail "libvirt printed no error"

# A read-only connection, and one to another driver, are left alone.
cat >"$tmp/other.py" <<'END'
import sys, libvirt
libvirt.registerErrorHandler(lambda ctx, err: None, None)
xml = open(sys.argv[1]).read().replace("<name>NAME<", "<name>r<")
for conn in libvirt.openReadOnly("qemu:///system"), libvirt.openReadOnly("test:///default"):
    try:
        conn.defineXML(xml)
        sys.exit("defined")
    except libvirt.libvirtError as e:
        print(e)
END
run 0 on env LD_PRELOAD="$VW_BUILD/virsh-warden.so" /usr/bin/python3 "$tmp/other.py" "$tmp/generic.xml"
empty "$tmp/err"
cp "$tmp/out" "$tmp/ours"
run 0 on /usr/bin/python3 "$tmp/other.py" "$tmp/generic.xml"
cmp "$tmp/ours" "$tmp/out" || fail "another error"
