#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# check and fix of files and of stdin, without any libvirt: exit codes, text that is left as it
# was, a fix of a fix, diffs that patch(1) takes, tables and JSON that say the same.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
export LIBVIRT_DEFAULT_URI=nosuch:/// # must not be asked
cd "$tmp"

# An image with something in it, so that what it boots from needs the admin's word.
truncate -s 1G web1.img
printf 'not blank' | dd of=web1.img bs=1 seek=4096 conv=notrunc status=none
generic web1 >web1.xml
run 1 virt-warden check web1.xml
has out '^web1 \(web1\.xml\)  Debian 11 \(metadata\)  [0-9]+ findings$'
has out '^  disk-cache +hda +'
has out 'Next: virt-warden fix --diff web1\.xml$'
empty err

# The same from stdin; the findings are the same.
cp out table
run 1 bash -c 'virt-warden check - <web1.xml'
diff <(grep '^  ' table | sed 's, web1\.xml.*,,; s,\./,,') <(grep '^  ' out | sed 's, web1 .*,,; s, - .*,,') >/dev/null ||
	[ "$(grep -c '^  ' table)" = "$(grep -c '^  ' out)" ] || fail "stdin has other findings"

# --json: the shape of the contract, as many findings as the table has rows.
run 1 virt-warden check --json web1.xml
cp out check.json
python3 - "$(grep -cE '^  [a-z-]+ .* (fix|skip|refuse)/' table)" <<'END'
import json, sys
top = json.load(open("check.json"))
assert list(top) == ["version", "domains"] and top["version"] == 1, list(top)
(domain,) = top["domains"]
assert sorted(domain) == ["findings", "judged", "name", "os", "unjudged", "uuid"], sorted(domain)
assert domain["name"] == "web1" and domain["uuid"] == ""
assert domain["os"] == {"id": "http://debian.org/debian/11", "source": "metadata", "confidence": "assumed"}
keys = ["action", "after", "before", "class", "device", "evidence", "message", "rule"]
for f in domain["findings"]:
    assert sorted(f) == keys, sorted(f)
    assert f["class"] in ("host", "additive", "visible", "boot")
    assert f["action"] in ("fix", "skip", "refuse")
    assert f["evidence"] in ("proven", "blank", "assumed", "unknown")
    assert f["message"] and all(isinstance(v, str) for v in f.values())
assert len(domain["findings"]) == int(sys.argv[1]), (len(domain["findings"]), sys.argv[1])
END

# fix prints XML and nothing else on stdout, what was found on stderr; a fix of it changes nothing.
run 0 virt-warden fix --allow boot,visible web1.xml
cp out fixed.xml
has err '^virt-warden: web1\.xml: [0-9]+ fixed \('
has fixed.xml "bus='virtio'"
python3 -c 'import xml.dom.minidom as m; m.parse("fixed.xml")' || fail "no XML"
before=$(stat -c %Y%s web1.xml)
run 0 virt-warden fix --allow boot,visible fixed.xml
cmp out fixed.xml || fail "a fix of a fix changes something"
[ "$(stat -c %Y%s web1.xml)" = "$before" ] || fail "the file was written"
run 0 bash -c 'virt-warden fix - --allow boot --allow visible --quiet <web1.xml'
cmp out fixed.xml || fail "fix - differs from fix FILE"
empty err

# --diff is what patch(1) takes from the one to the other; nothing to do is an empty diff.
run 0 virt-warden fix --diff --allow boot,visible web1.xml
has out '^--- web1\.xml$'
cp web1.xml patched.xml
patch -s patched.xml out || fail "patch does not take the diff"
cmp patched.xml fixed.xml || fail "the diff leads elsewhere"
run 0 virt-warden fix --diff --allow boot,visible fixed.xml
empty out

# --dry-run is the table; 1 as long as there is any finding.
run 1 virt-warden fix --dry-run web1.xml
has out '^  disk-cache '
hasnt out '<domain'

# A blank image: nothing is left to ask, and a fix leaves nothing.
generic blank >blank.xml
run 1 virt-warden check blank.xml
has out ' 0 need your word'
run 0 virt-warden fix blank.xml
cp out blank-fixed.xml
run 0 virt-warden check blank-fixed.xml
has out 'conformant$'
run 0 virt-warden fix blank-fixed.xml
cmp out blank-fixed.xml || fail "a fix of a fix changes something"
run 1 virt-warden fix --dry-run blank.xml

# What only the admin can say is what is named next, once all else is done.
run 1 virt-warden fix web1.xml
cp out half-fixed.xml
run 1 virt-warden check half-fixed.xml
has out ': 0 can be fixed now, .*Next: virt-warden fix --allow (boot|visible) half-fixed\.xml$'
sed '/libosinfo/d' blank.xml >nobody.xml
run 1 virt-warden check nobody.xml
has out 'Next: virt-warden fix --diff nobody\.xml$'
run 1 virt-warden fix nobody.xml
cp out nobody-fixed.xml
run 1 virt-warden check nobody-fixed.xml
has out '0 can be fixed now, 1 needs your word\.  Next: virt-warden check --os ID nobody-fixed\.xml$'

# Mode off: nothing is found, text as it was, 0.
sed "s,<metadata>,<metadata><w:warden xmlns:w='urn:virt-warden:domain:1' mode='off'/>," web1.xml >off.xml
run 0 virt-warden check off.xml
has out 'mode off'
run 0 virt-warden fix off.xml
has err 'mode is off'
cmp out off.xml || fail "mode off was changed"
# A skipped rule is no finding.
sed "s,<metadata>,<metadata><w:warden xmlns:w='urn:virt-warden:domain:1'><w:skip rule='balloon'/></w:warden>," \
	web1.xml >skip.xml
run 1 virt-warden check skip.xml
hasnt out '^  balloon '

# --os says what the metadata does not; it is stored. An unknown one is wrong usage.
sed '/<metadata>/,/<\/metadata>/d' web1.xml >noos.xml
run 1 virt-warden check noos.xml
has out 'unknown OS'
run 1 virt-warden fix --os debian11 noos.xml
has out 'libosinfo:os id=.http://debian.org/debian/11'
run 2 virt-warden fix --os nosuchos99 noos.xml
empty out
[ "$(wc -l <err)" = 1 ] || fail "more than one line"

# Several: each gets its heading, one that can't be told does not stop the others, 3 wins.
generic 'odd name' >'odd name.xml'
run 1 virt-warden check web1.xml 'odd name.xml' off.xml
has out '^3 checked: 1 conformant, 2 with findings$'
run 3 virt-warden check web1.xml /nonexistent.xml 'odd name.xml'
has out '^web1 '
has out '^odd name '
has err '/nonexistent\.xml: No such file'
run 3 virt-warden check --json web1.xml /nonexistent.xml off.xml
python3 -c 'import json; assert len(json.load(open("out"))["domains"]) == 2' || fail "JSON lacks the good ones"
run 1 virt-warden check --quiet web1.xml
empty out
empty err

# What is to be typed is quoted for a shell, and does what it says.
run 1 virt-warden check 'odd name.xml'
next=$(sed -n 's/.*Next: //p' out)
[ "$next" = "virt-warden fix --diff 'odd name.xml'" ] || fail "next: $next"
run 0 bash -c "$next"
cp web1.xml -- -x.xml
run 1 virt-warden check -- -x.xml
next=$(sed -n 's/.*Next: //p' out)
run 1 bash -c "$next"
has out '^\+\+\+ -x\.xml'

# Nothing of a hostile name reaches the terminal as it is; arrows only where they can be shown.
printf '<domain type="kvm"><name>a&#x9b;31m&#x202e;b</name><title>x</title></domain>' >evil.xml
LC_ALL=C.UTF-8 run 3 virt-warden check evil.xml "$(printf 'a\033[31mb.xml')"
! LC_ALL=C grep -q "$(printf '[\033\233]')" out err || fail "a control character got through"
! grep -q $'\u202e' out || fail "a direction mark got through"
LC_ALL=C.UTF-8 run 1 virt-warden check web1.xml
has out $'\u2192'
LC_ALL=C run 1 virt-warden check web1.xml
has out ' -> '
! LC_ALL=C grep -q '[^ -~]' out || fail "not ASCII in the C locale"

# What nobody judged, or the host's side only, is not conformant: said, exit 3, in JSON too.
while read -r judged words xml; do
	printf '%s\n' "$xml" >unjudged.xml
	run 3 virt-warden check unjudged.xml
	has out "${words//_/ }"
	hasnt out conformant
	run 3 virt-warden fix --dry-run unjudged.xml
	run 3 virt-warden check --json unjudged.xml
	python3 - "$judged" "${words//_/ }" <<-'END'
		import json, sys
		(domain,) = json.load(open("out"))["domains"]
		assert domain["judged"] == sys.argv[1] and sys.argv[2] in domain["unjudged"], domain
	END
done <<'END'
none no_<devices> <domain type='kvm'/>
none no_<devices> <domain type='qemu'><name>g</name><os><type>hvm</type></os></domain>
none no_<os><type> <domain type='kvm'><name>g</name><devices><emulator>/q</emulator></devices></domain>
none type_lxc <domain type='lxc'><name>g</name><os><type>exe</type></os><devices><emulator>/q</emulator></devices></domain>
host not_aarch64 <domain type='kvm'><name>g</name><os><type arch='aarch64' machine='virt'>hvm</type></os><devices><emulator>/q</emulator></devices></domain>
host not_microvm <domain type='kvm'><name>g</name><os><type arch='x86_64' machine='microvm'>hvm</type></os><devices><emulator>/q</emulator></devices></domain>
END
