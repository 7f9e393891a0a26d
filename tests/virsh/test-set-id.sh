#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# None of our programs runs set-user-ID, set-group-ID or with file capabilities: one line, nothing
# of the caller's PATH or environment is used.
set -euo pipefail

# Files that are set-ID count on a filesystem of our own only: /tmp may be nosuid.
if [ "${VW_SET_ID_INSIDE:-}" != 1 ]; then
	VW_SET_ID_INSIDE=1 exec unshare --mount --propagation private -- bash "$0" "$@"
fi
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
chmod 755 "$tmp"
mkdir "$tmp/bin" "$tmp/evil"
mount -t tmpfs -o mode=755,suid tmpfs "$tmp/bin"
trap 'umount "$tmp/bin"; cleanup' EXIT
printf '#!/bin/sh\nid -u >"%s/ran"\n' "$tmp" >"$tmp/evil/virsh"
chmod 755 "$tmp/evil/virsh"
cp "$tmp/evil/virsh" "$tmp/evil/virt-foo"
chmod 777 "$tmp"

# as_user PROGRAM ARGUMENT…: as a caller with a PATH and settings of its own
as_user() {
	local program=$1
	shift
	status=0
	(cd / && setpriv --reuid 12345 --regid 12345 --clear-groups env -i PATH="$tmp/evil:/usr/bin:/bin" \
		VIRT_WARDEN_CONF="$tmp/evil.conf" "$tmp/bin/$program" "$@") >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
}
refused() { # refused STATUS HOW PROGRAM ARGUMENT…
	local want=$1 how=$2
	shift 2
	as_user "$@"
	[ "$status" = "$want" ] || fail "$1, $how: exit $status, not $want"
	[ "$(wc -l <"$tmp/err")" = 1 ] && has "$tmp/err" 'must not run set-id or with file capabilities: chmod ug-s it'
	empty "$tmp/out"
	[ ! -e "$tmp/ran" ] || fail "$1, $how: a program of the caller's PATH ran as $(cat "$tmp/ran")"
}

for what in '126 virsh list' '126 virsh foo' '3 virt-warden --version' '1 virt-wardend --version' '1 virt-warden-alert --version' \
	'3 virt-warden-osinfo --help' '0 hook web1 started begin -'; do
	read -r want program arguments <<<"$what"
	# shellcheck disable=SC2086 # words
	for how in u+s g+s; do
		install -m 755 "$VW_BUILD/$program" "$tmp/bin/$program"
		chmod $how "$tmp/bin/$program"
		refused "$want" $how "$program" $arguments
	done
	install -m 755 "$VW_BUILD/$program" "$tmp/bin/$program"
	/usr/bin/python3 -c 'import os, struct, sys; os.setxattr(sys.argv[1], "security.capability", struct.pack("<5I", 0x02000001, 2, 0, 0, 0))' \
		"$tmp/bin/$program" # cap_dac_override+ep
	# shellcheck disable=SC2086 # words
	refused "$want" capability "$program" $arguments
done

# Without all that it runs what the caller's PATH has, as the caller.
install -m 755 "$VW_BUILD/virsh" "$tmp/bin/virsh"
as_user virsh list
[ "$(cat "$tmp/ran")" = 12345 ] || fail "the wrapper did not run: $(cat "$tmp/err")"
