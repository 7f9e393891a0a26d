#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# timeout: 600
# `virt-warden new` for every OS in osinfo-db: the XML is valid by libvirt's own schema, libvirtd defines
# it, and one of each shape (the same devices for many systems) starts in QEMU.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"

export PYTHONDONTWRITEBYTECODE=1
schema=$(pkg-config --variable=datadir libvirt 2>/dev/null || echo /usr/share)/libvirt/schemas/domain.rng
[ -e "$schema" ] || schema=/usr/share/libvirt/schemas/domain.rng
mkdir "$tmp/new"
lab_start
"$VW_BUILD/virt-warden-osinfo" build --output "$VIRT_WARDEN_CACHEDIR/os.index" >/dev/null 2>&1
qemu-img create -q -f qcow2 "$tmp/blank.qcow2" 4G
truncate -s 1M "$tmp/empty.iso"

"$top/tests/virsh/lib/oses.py" all | sort -u >"$tmp/ids"
ids=$(wc -l <"$tmp/ids")
[ "$ids" -gt 700 ] || fail "osinfo-db has only $ids systems"

# One process each; what it says on stderr is an error here.
# shellcheck disable=SC2016 # expanded by the inner shell
on env work="$tmp" xargs -P 2 -I ID sh -c 'virt-warden new --os "$1" --name "$1" --disk "$work/blank.qcow2" \
	--cdrom "$work/empty.iso" --network default --virttype qemu >"$work/new/$1.xml" 2>>"$work/new.err" ||
	echo "$1: exit $?" >>"$work/new.err"' sh ID <"$tmp/ids"
[ ! -s "$tmp/new.err" ] || fail "new complains: $(sort "$tmp/new.err" | uniq -c | head -5)"

find "$tmp/new" -name '*.xml' | sort >"$tmp/files"
[ "$(wc -l <"$tmp/files")" = "$ids" ] || fail "not every system has a file"
xargs -n 100 xmllint --noout --relaxng "$schema" <"$tmp/files" >"$tmp/out" 2>"$tmp/err" ||
	fail "not valid: $(grep -v ' validates$' "$tmp/err" | head -5)"
[ "$(grep -c ' validates$' "$tmp/err")" = "$ids" ] || fail "not every file was validated"

# One virsh for all of them. It stops at nothing, so its words are counted.
while read -r file; do
	name=$(basename "$file" .xml)
	echo "define --validate $file"
	echo "undefine --nvram $name"
done <"$tmp/files" >"$tmp/commands"
on "$real" <"$tmp/commands" >"$tmp/out" 2>"$tmp/err" || true
[ "$(grep -c "^Domain .* defined from " "$tmp/out")" = "$ids" ] || fail "libvirtd refuses some: $(sort "$tmp/err" | uniq -c | sort -rn | head -5)"
[ "$(grep -c "^Domain .* has been undefined" "$tmp/out")" = "$ids" ] || fail "undefine"

# One of each shape: all that is the same but for name, OS and size.
while read -r file; do
	shape=$(sed -E '/<name>|<libosinfo:os id=|<memory |<vcpu>/d' "$file" | sha1sum)
	[ -e "$tmp/shape-${shape%% *}" ] || echo "$file" >"$tmp/shape-${shape%% *}"
done <"$tmp/files"
shapes=0
for one in "$tmp"/shape-*; do
	file=$(cat "$one")
	name=$(basename "$file" .xml)
	sed -i -E "s,<memory .*,<memory unit='MiB'>256</memory>," "$file"
	run 0 on "$real" "define $file; start $name; domstate $name; destroy $name; undefine --nvram $name"
	has "$tmp/out" '^running'
	shapes=$((shapes + 1))
done
[ $shapes -ge 15 ] || fail "only $shapes shapes: are all templates the same?"
echo "$ids systems valid and defined, $shapes shapes started"
