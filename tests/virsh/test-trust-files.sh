#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# What root runs uses no configuration, template, OS index or capability that somebody else owns or
# may write, and no user's own additions to osinfo-db: one line with the remedy. The hook exits 0.
# timeout: 240
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ "$(id -u)" = 0 ] || fail "this test needs root"
export LIBVIRT_DEFAULT_URI=nosuch:///
export VIRT_WARDEN_CACHEDIR=$tmp/cache
mkdir -p "$tmp/templates.d" "$tmp/cache" "$tmp/state"
"$VW_BUILD/virt-warden-osinfo" build --output "$tmp/cache/os.index" >"$tmp/out"
generic web1 >"$tmp/web1.xml"
touch "$tmp/warden.conf"
other=12345

# refused PATH REMEDY: check says one line and judges nothing
refused() {
	run 3 virt-warden check "$tmp/web1.xml"
	has "$tmp/err" "^virt-warden: .*$1 is not used by root, for .* could change it: $2, and look at what it holds\$"
	[ "$(wc -l <"$tmp/err")" = 1 ] || fail "more than a line"
	empty "$tmp/out"
}
fine() { run 1 virt-warden check "$tmp/web1.xml" && has "$tmp/out" 'disk-bus' && has "$tmp/out" 'Debian 11'; }
fine

# The configuration, its directory; the same through the environment's words (sudo -E keeps them).
chown $other "$tmp/warden.conf"
refused "$tmp/warden.conf" "chown root $tmp/warden.conf"
env -i VIRT_WARDEN_CONF="$tmp/warden.conf" VIRT_WARDEN_STATEDIR="$tmp/state" VIRT_WARDEN_LOG=stderr \
	"$VW_BUILD/hook" web1 prepare begin - <"$tmp/web1.xml" >"$tmp/out" 2>"$tmp/err" || fail "the hook exits with $?"
has "$tmp/err" "op=prepare.*: nothing was checked: .*warden.conf is not used by root"
[ "$(wc -l <"$tmp/err")" = 1 ] && empty "$tmp/out"
chown 0 "$tmp/warden.conf"
chmod 664 "$tmp/warden.conf"
refused "$tmp/warden.conf" "chmod go-w $tmp/warden.conf"
chmod 644 "$tmp/warden.conf"
chmod 777 "$tmp"
refused "$tmp/state" "chmod go-w $tmp"
chmod 755 "$tmp"
fine

# Another's warden.conf and all through his environment.
mkdir "$tmp/his"
printf '[policy]\ndefine = off\n' >"$tmp/his/warden.conf"
chown -R $other "$tmp/his"
VIRT_WARDEN_CONF=$tmp/his/warden.conf run 3 virt-warden check "$tmp/web1.xml"
has "$tmp/err" "^virt-warden: $tmp/his/warden.conf is not used by root"
for name in DATADIR=$tmp/his STATEDIR=$tmp/his/state CACHEDIR=$tmp/his SYSROOT=$tmp/his; do
	run 3 env "VIRT_WARDEN_$name" virt-warden check "$tmp/web1.xml"
	has "$tmp/err" "^virt-warden: \\\$VIRT_WARDEN_${name%%=*}: $tmp/his.* is not used by root, for user $other could change it: chown root $tmp/his"
done

# Templates.
printf "<template xmlns='urn:virt-warden:template:1'/>\n" >"$tmp/templates.d/x.xml"
chown $other "$tmp/templates.d/x.xml"
refused "$tmp/templates.d/x.xml" "chown root $tmp/templates.d/x.xml"
rm "$tmp/templates.d/x.xml"
chmod 1777 "$tmp/templates.d"
refused "$tmp/templates.d" "chmod go-w $tmp/templates.d"
chmod 755 "$tmp/templates.d"
fine

# The OS index: the OS stays unknown, none is put in its place.
chown $other "$tmp/cache/os.index"
run 1 virt-warden check "$tmp/web1.xml"
hasnt "$tmp/out" 'Debian 11'
[ "$(stat -c %u "$tmp/cache/os.index")" = $other ] || fail "it was replaced"
chown 0 "$tmp/cache/os.index"
fine

# Root's index holds no user's own OS, whatever HOME and the variables of libosinfo say.
mkdir -p "$tmp/home/.config/osinfo/os/example.org"
cat >"$tmp/home/.config/osinfo/os/example.org/evil.xml" <<'END'
<libosinfo version="0.0.1"><os id="http://example.org/evil/1"><short-id>evil1</short-id><name>Evil 1</name>
<version>1</version><vendor>Evil</vendor><family>linux</family></os></libosinfo>
END
chown -R $other "$tmp/home"
for words in "HOME=$tmp/home" "XDG_CONFIG_HOME=$tmp/home/.config" "OSINFO_USER_DIR=$tmp/home/.config/osinfo" \
	"OSINFO_LOCAL_DIR=$tmp/home/.config/osinfo"; do
	env "$words" "$VW_BUILD/virt-warden-osinfo" build --output "$tmp/cache/os.index" >"$tmp/out" 2>"$tmp/err"
	grep -q evil1 "$tmp/cache/os.index" && fail "$words: a user's own OS is in root's index"
	grep -q debian11 "$tmp/cache/os.index" || fail "$words: the index is empty"
done
has "$tmp/err" "osinfo is not used by root, for user $other could change it: chown root "
