#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# An admin's templates: one changes a value, replaces one of ours, adds a family, without recompiling.
# A bad one is named by doctor, with file and line, and a define goes through untouched with one line.
set -euo pipefail
# shellcheck source=tests/virsh/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tests/virsh/lib/os-guest.sh
. "$top/tests/virsh/lib/os-guest.sh"

own=$tmp/templates.d # beside warden.conf
mkdir "$own"
lab_start
"$VW_BUILD/virt-warden-osinfo" build --output "$VIRT_WARDEN_CACHEDIR/os.index" >/dev/null 2>&1

template() { # template FILE: from stdin, with the head and the tail that every one has
	{
		echo "<?xml version='1.0'?>"
		cat
	} >"$own/$1.xml"
}

# define NAME OS-ID: over a blank disk; what is stored to $tmp/devices
define() {
	truncate -s 64M "$tmp/$1.img"
	hand_made "$1" "$2" "$tmp/$1.img" >"$tmp/$1.xml"
	run 0 on virsh define "$tmp/$1.xml"
	cp "$tmp/err" "$tmp/said"
	devices "$1"
}

doctor_says() { # doctor_says pass|fail REGEX: of the templates
	on virt-warden doctor --json >"$tmp/json" || [ $? = 1 ] || fail "doctor: exit status"
	jq -r '.. | objects | select(.check == "templates") | "\(.status): \(.detail)"' "$tmp/json" >"$tmp/out"
	has "$tmp/out" "^$1: .*$2"
}

# A value for one distribution, all else as it is
template fedora <<-'END'
	<template version='1' id='our-fedora' extends='linux-modern' priority='100'>
	  <title>Fedora, as we have it</title>
	  <match distro='fedora' released-from='2020-01-01'/>
	  <rule id='video' prefer='vga'/>
	  <rule id='pcie-ports' count='20'/>
	  <rule id='balloon' period='60'/>
	</template>
END
run 0 on virt-warden os show fedora36
has "$tmp/out" '^template +our-fedora$'
define fedora36 http://fedoraproject.org/fedora/36
for line in 'video: vga' 'pcie-ports: 20' 'balloon: virtio 60' 'disk-bus: virtio' 'machine: q35' 'panic-device: isa restart'; do
	has "$tmp/devices" "^$line\$"
done
run 0 on virsh start fedora36
run 0 on virsh destroy fedora36
define fedora30 http://fedoraproject.org/fedora/30
has "$tmp/devices" '^pcie-ports: 14$'
define debian11 http://debian.org/debian/11
has "$tmp/devices" '^balloon: virtio 10$'

# One of ours replaced: the same id
sed "s/<rule id='panic-device' .*/<rule id='nic-model' prefer='e1000e'\/>/;/<rule id='nic-model' prefer='virtio'/d" \
	"$top/xml-templates/linux-modern.xml" >"$own/linux-modern.xml"
define debian10 http://debian.org/debian/10
has "$tmp/devices" '^nic-model: e1000e$'
has "$tmp/devices" '^panic-device: destroy$'
has "$tmp/devices" '^disk-bus: virtio$'
rm "$own/linux-modern.xml"

# A family of its own
template haiku <<-'END'
	<template version='1' id='haiku' extends='common' priority='50'>
	  <title>Haiku</title>
	  <match family='haiku' id='haikur1beta* http://haiku-os.org/haiku/nightly'/>
	  <rule id='disk-bus' prefer='sata'/>
	  <rule id='cdrom-bus' prefer='sata'/>
	  <rule id='nic-model' prefer='rtl8139@spice ne2k_pci@has:no-such-device|ne2k_pci pcnet@pc'/>
	</template>
END
define haiku http://haiku-os.org/haiku/r1beta3
for line in 'machine: pc' 'disk-bus: sata' 'cdrom-bus: sata read-only' 'nic-model: pcnet' 'cpu-mode: qemu64'; do
	has "$tmp/devices" "^$line\$"
done
run 0 on virsh start haiku
run 0 on virsh destroy haiku
run 0 on virt-warden os show haikur1alpha1
has "$tmp/out" '^template +other$'
doctor_says pass '2 of your own in .*/templates\.d'

# Bad ones: what doctor says names file and line; define says one line and stores what was typed
bad() { # bad NAME REGEX: the template is on stdin
	template bad
	doctor_says fail "templates\\.d/bad\\.xml:$2"
	define "$1" http://debian.org/debian/11
	[ "$(wc -l <"$tmp/said")" = 1 ] || fail "not one line: $(cat "$tmp/said")"
	has "$tmp/said" "^virt-warden: .*templates\\.d/bad\\.xml:$2"
	for line in 'machine: pc' 'disk-bus: ide' 'nic-model: rtl8139'; do
		has "$tmp/devices" "^$line\$"
	done
	hasnt "$tmp/devices" '^disk-cache:'
	rm "$own/bad.xml"
}

bad not-xml '4: ' <<-'END'
	<template version='1' id='bad'>
	  <title>Bad</title>
	</tepmlate>
END
bad unknown-rule '4: .*disk-buss' <<-'END'
	<template version='1' id='bad'>
	  <title>Bad</title>
	  <rule id='disk-buss' prefer='virtio'/>
	</template>
END
bad unknown-attribute '4: .*familly' <<-'END'
	<template version='1' id='bad'>
	  <title>Bad</title>
	  <match familly='linux'/>
	</template>
END
bad unknown-base '2: .*no-such' <<-'END'
	<template version='1' id='bad' extends='no-such'>
	  <title>Bad</title>
	</template>
END
bad version '2: .*2' <<-'END'
	<template version='2' id='bad'>
	  <title>Bad</title>
	</template>
END
bad entities '.*' <<-'END'
	<!DOCTYPE template [<!ENTITY x SYSTEM "file:///etc/passwd">]>
	<template version='1' id='bad'>
	  <title>&x;</title>
	</template>
END

# Values that only the schema knows are doctor's: they don't stop a define
template bad <<-'END'
	<template version='1' id='bad' extends='linux-modern' priority='100'>
	  <title>Bad</title>
	  <match id='debian9'/>
	  <rule id='balloon' period='often'/>
	</template>
END
doctor_says fail 'templates\.d/bad\.xml:5'
define debian9 http://debian.org/debian/9
has "$tmp/devices" '^disk-bus: virtio$'
rm "$own/bad.xml"

# A device that libvirt does not know: it refuses, so what was typed is stored, and that is said
template bad <<-'END'
	<template version='1' id='bad' extends='linux-modern' priority='100'>
	  <title>Bad</title>
	  <match id='debian8 debian7'/>
	  <rule id='usb' prefer='no-such-xhci'/>
	</template>
END
define debian8 http://debian.org/debian/8
has "$tmp/said" 'no-such-xhci'
has "$tmp/devices" '^disk-bus: ide$'
# … unless the emulator says what it has: then the next in the list is taken
template bad <<-'END'
	<template version='1' id='bad' extends='linux-modern' priority='100'>
	  <title>Bad</title>
	  <match id='debian8 debian7'/>
	  <rule id='disk-bus' prefer='no-such-bus sata'/>
	  <rule id='video' prefer='no-such-video vga'/>
	</template>
END
define debian7 http://debian.org/debian/7
has "$tmp/devices" '^disk-bus: sata$'
has "$tmp/devices" '^video: vga$'
rm "$own/bad.xml"

# The documentation: its examples are sound, and it knows every rule, condition and template
doc=$top/docs/templates.md
awk -v dir="$own" '/^```xml$/ { n++; inside = 1; next } /^```$/ { inside = 0 } inside { print > (dir "/example-" n ".xml") }' "$doc"
rm "$own/fedora.xml" "$own/haiku.xml"
doctor_says pass '2 of your own in .*/templates\.d'
grep -oE '\{ "[a-z0-9]+", [a-z_0-9]+ \}' "$top/lib/engine/choose.c" | cut -d'"' -f2 >"$tmp/conditions"
[ "$(wc -l <"$tmp/conditions")" -ge 8 ] || fail "the conditions of lib/engine/choose.c are not found"
while read -r word; do
	sed -n '/^## Conditions/,/^## /p' "$doc" | grep -q "\`$word\`" || fail "docs/templates.md: condition $word"
	grep -qE "[(|]${word}[|)]" "$top/xml-templates/template.rng" || fail "template.rng: condition $word"
done <"$tmp/conditions"
grep -ohE "<rule id='[a-z-]+'" "$top"/xml-templates/*.xml | cut -d"'" -f2 | sort -u >"$tmp/rules"
while read -r word; do
	sed -n '/^## Rules/,/^## /p' "$doc" | grep -q "^|.*\`$word\`" || fail "docs/templates.md: rule $word"
done <"$tmp/rules"
for file in "$top"/xml-templates/*.xml; do
	id=$(basename "$file" .xml)
	grep -q "<template version='1' id='$id'" "$file" || fail "$file: another id than its name"
	sed -n '/^Ours, /,/^## /p' "$doc" | grep -q "^|.*\`$id\`" || fail "docs/templates.md: template $id"
	priority=$(sed -n "s/^<template .* priority='\([0-9-]*\)'.*/\1/p" "$file")
	sed -n '/^Ours, /,/^## /p' "$doc" | grep "^|.*\`$id\`" | grep -q -- "$priority" || fail "docs/templates.md: priority of $id"
done
