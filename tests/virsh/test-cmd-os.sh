#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# os list, show and detect: as libosinfo has it; of install media and of domain XML; what is
# unknown is said to be so.
# timeout: 120
# serial: media are looked at within seconds
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LIBVIRT_DEFAULT_URI=nosuch:///
cd "$tmp"

# list: all; a family; a part of a name; a glob. As many as osinfo-query knows.
run 0 virt-warden os list
has out '^ID +NAME +FAMILY +RELEASED +FULL ID$'
has out '^debian11 +Debian 11 +linux +2021-08-14 +http://debian.org/debian/11$'
all=$(($(wc -l <out) - 1))
[ "$all" -gt 300 ] || fail "$all only"
run 0 virt-warden os list --quiet
[ "$(wc -l <out)" = "$all" ] || fail "--quiet has a head"
[ "$(sort -u out | wc -l)" = "$all" ] || fail "one is named twice"
run 0 virt-warden os list --quiet --family winnt
hasnt out 'http://(debian|fedoraproject|freebsd)'
has out '^win10 '
run 0 virt-warden os list --quiet DEBIAN11
[ "$(wc -l <out)" = 1 ] || fail "not one"
run 0 virt-warden os list --quiet 'ubuntu2?.04'
[ "$(wc -l <out)" -ge 2 ] || fail "the glob finds too little"
hasnt out '^[^u]'
run 1 virt-warden os list nosuchosatall
empty out
run 0 virt-warden os list --json --family freebsd
jq -e '.version == 1 and (.oses | length > 5) and ([.oses[] | select(.family != "freebsd")] == []) and
	(.oses[0] | keys == ["family", "id", "name", "released", "short_id"])' out >/dev/null || fail "JSON of list"

# show: by either id; an id from tomorrow is given the facts of the nearest; a slip is named.
run 0 virt-warden os show debian11
has out '^full id +http://debian.org/debian/11$'
has out '^template +linux-modern$'
has out '^devices .*virtio-block'
cp out by-short
run 0 virt-warden os show http://debian.org/debian/11
cmp out by-short
run 0 virt-warden os show http://debian.org/debian/99
has out '^like +debian'
run 0 virt-warden os show --json debian11
jq -e '.version == 1 and .short_id == "debian11" and .family == "linux" and .ram > 0 and .cpus >= 1 and
	(.features | index("virtio1.0-net") != null)' out >/dev/null || fail "JSON of show"
run 2 virt-warden os show debain11
has err 'debian11'

# detect: metadata of an XML; install media; neither.
generic web1 >web1.xml
run 0 virt-warden os detect web1.xml
[ "$(cat out)" = "debian11  Debian 11  (source: metadata, confidence: assumed)" ] || fail "detect"
sed '/<metadata>/,/<\/metadata>/d' web1.xml >noos.xml
run 3 virt-warden os detect noos.xml
has out '^unknown: '
run 3 virt-warden os detect --json noos.xml
jq -e '. == {"version": 1, "os": {"id": "", "source": "unknown", "confidence": "unknown"}}' out >/dev/null || fail "JSON of detect"
mkdir iso
echo disk >iso/README
genisoimage -quiet -V 'Debian 11.0.0 amd64 n' -p 'Debian' -o debian.iso iso
run 0 virt-warden os detect debian.iso
has out '^debian11 .*source: media'
run 0 virt-warden os detect --json debian.iso
jq -e '.os.source == "media" and .os.id == "http://debian.org/debian/11"' out >/dev/null || fail "JSON of media"
printf 'neither' >neither.img
run 3 virt-warden os detect neither.img
has out '^unknown: neither domain XML nor install media'
# A domain whose CD-ROM is install media.
sed "s,<devices>,<devices><disk type='file' device='cdrom'><source file='$tmp/debian.iso'/><target dev='hdc' bus='ide'/><readonly/></disk>," \
	noos.xml >media.xml
run 0 virt-warden os detect media.xml
has out '^debian11 .*source: media'
