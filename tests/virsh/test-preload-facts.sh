#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The facts behind a define: the OS by install media, a volume's file, virtio-win media; a
# connection that is not local sees no disks of this host, and nothing is guessed then.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

undefine() { run 0 on "$real" undefine web1; }
generic web1 >"$tmp/web1.xml"
sed '/<metadata>/,/<\/metadata>/d' "$tmp/web1.xml" >"$tmp/noos.xml"

# No OS named, no media: said, and only what suits every guest is done.
run 0 on virsh define "$tmp/noos.xml"
has "$tmp/err" 'fixes \(OS unknown: the XML names no OS'
stored_has web1 "cache='none'"
hasnt "$tmp/xml" 'libosinfo'
undefine

# The install medium tells it; it is stored where virt-manager looks for it.
mkdir "$tmp/tree"
head -c 2048 /dev/zero >"$tmp/tree/boot.img"
genisoimage -quiet -V 'Debian 11.5.0 amd64 n' -b boot.img -no-emul-boot -o "$tmp/debian.iso" "$tmp/tree"
cdrom() { echo "<disk type='file' device='cdrom'><source file='$1'/><target dev='$2' bus='ide'/><readonly/></disk>"; }
sed "s,</devices>,$(cdrom "$tmp/debian.iso" hdc)&," "$tmp/noos.xml" >"$tmp/media.xml"
run 0 on virsh define "$tmp/media.xml"
has "$tmp/err" '^virt-warden: web1: [0-9]+ fixes \(Debian 11\)$'
stored_has web1 'os id="http://debian.org/debian/11"'
has "$tmp/xml" "bus='virtio'"
undefine

# An id that osinfo-db does not know: the nearest stands in.
sed 's,debian/11,debian/99,' "$tmp/web1.xml" >"$tmp/next.xml"
run 0 on virsh define "$tmp/next.xml"
has "$tmp/err" 'fixes \(.*debian99.*Debian'
stored_has web1 "bus='virtio'"
undefine

# Windows: virtio only with its drivers at hand.
sed 's,http://debian.org/debian/11,http://microsoft.com/win/10,' "$tmp/web1.xml" >"$tmp/win.xml"
run 0 on virsh define "$tmp/win.xml"
stored_has web1 "<target dev='sda' bus='sata'/>"
undefine
cp "$tmp/debian.iso" "$tmp/virtio-win-0.1.240.iso"
sed "s,</devices>,$(cdrom "$tmp/virtio-win-0.1.240.iso" hdc)&," "$tmp/win.xml" >"$tmp/drivers.xml"
run 0 on virsh define "$tmp/drivers.xml"
stored_has web1 "<target dev='vda' bus='virtio'/>"
undefine

# A volume of a storage pool is looked at through its path.
run 0 on "$real" pool-define-as images dir --target "$tmp"
run 0 on "$real" pool-start images
sed "s,<disk type='file',<disk type='volume',;s,<source file='.*',<source pool='images' volume='web1.img'," "$tmp/web1.xml" >"$tmp/volume.xml"
run 0 on virsh define "$tmp/volume.xml"
stored_has web1 "<target dev='vda' bus='virtio'/>"
has "$tmp/xml" "cache='none'"
has "$tmp/xml" "pool='images' volume='web1.img'"
undefine
sed -i "s,volume='web1.img',volume='nosuch.img'," "$tmp/volume.xml"
run 0 on virsh define "$tmp/volume.xml"
stored_has web1 "<target dev='hda' bus='ide'/>"
undefine

# Over TCP this host's disks are not the domain's.
uri=$("$top/tests/lab/lab" uri alpha)
run 0 on virsh -c "$uri" define "$tmp/web1.xml"
stored_has web1 "<target dev='hda' bus='ide'/>"
hasnt "$tmp/xml" "cache='none'"
has "$tmp/err" 'your word: virt-warden (-c [^ ]* )?fix web1 --allow boot'
undefine

# Nor through a socket that something else forwards to libvirtd, nor in another mount namespace.
cat >"$tmp/forward.py" <<'END'
import os, socket, sys, threading
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
here, _ = listener.accept()
there = socket.socket(socket.AF_UNIX)
there.connect("/run/libvirt/libvirt-sock")
def copy(a, b):
    while data := a.recv(65536):
        b.sendall(data)
    b.shutdown(socket.SHUT_WR)
t = threading.Thread(target=copy, args=(there, here), daemon=True)
t.start()
copy(here, there)
END
mkdir "$tmp/libvirt"
on /usr/bin/python3 "$tmp/forward.py" "$tmp/libvirt/sock" >"$tmp/ready" &
forward=$!
while [ ! -s "$tmp/ready" ]; do sleep 0.05; done
run 0 on virsh -c "qemu+unix:///system?socket=$tmp/libvirt/sock" define "$tmp/web1.xml"
wait $forward
stored_has web1 "<target dev='hda' bus='ide'/>"
undefine
# A mount namespace of our own counts as libvirtd's as long as it shows the same files.
# shellcheck disable=SC2016 # the inner shell expands it
run 0 on unshare -m sh -c 'mount -t tmpfs none "$2" && exec "$0" define "$1"' \
	"$VW_BUILD/virsh" "$tmp/web1.xml" "$tmp/libvirt"
stored_has web1 "<target dev='hda' bus='ide'/>"
undefine
run 0 on unshare -m "$VW_BUILD/virsh" define "$tmp/web1.xml"
stored_has web1 "<target dev='vda' bus='virtio'/>"
undefine
run 0 on virsh -c 'qemu+unix:///system?socket=/run/libvirt/libvirt-sock' define "$tmp/web1.xml"
stored_has web1 "<target dev='vda' bus='virtio'/>"
