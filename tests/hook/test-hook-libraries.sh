#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Whatever the state of the libraries that the hook needs (half an upgrade, a broken disk), no
# operation fails: libvirtd would refuse the start, or kill a running guest at reconnect and started.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

policy '[policy]' 'start = refuse'
wrong=$(disk vda "cache='writeback'" "file='$(image a.img)'")
ignored=(start started stopped release reconnect attach what-libvirt-may-add)

# The libraries that are mapped when it has work to do, but for libc and its loader.
mapfile -t libraries < <(ldd "$VW_BUILD/virt-warden-hook.so" |
	sed -n 's/.* => \(.*\) (.*/\1/p' | grep -v '/libc\.so')
[ "${#libraries[@]}" -ge 1 ] || die "no libraries"
libxml=$(printf '%s\n' "${libraries[@]}" | grep '/libxml2\.so')
libxml=$(realpath "$libxml")

broken() { # broken WHAT [OPERATION…]: nothing fails; what has work to do says that it can't
	local op ops=("${@:2}")
	[ "${#ops[@]}" -gt 0 ] || ops=(reconnect)
	for op in "${ops[@]}"; do
		run_hook "$op" < <(domain "$wrong")
		[ "$status" -eq 0 ] || die "$1: $op: exit $status: $(cat "$tmp/err")"
		expect_silent
		expect_no_log
	done
	[ "${#ops[@]}" -gt 1 ] && ops=(prepare migrate restore) || ops=(prepare)
	for op in "${ops[@]}"; do
		run_hook "$op" < <(domain "$wrong")
		[ "$status" -eq 0 ] || die "$1: $op: exit $status: $(cat "$tmp/err")"
		expect_silent
		expect_log "op=$op: nothing was checked or changed: .+"
	done
	cp "$log" "$tmp/last"
}

over() { # over FILE WHAT [OPERATION…]: it stands in the place of libxml2
	mount --bind "$1" "$libxml"
	broken "${@:2}"
	umount "$libxml"
}
head -c 100000 /dev/urandom >"$tmp/rubbish"
over "$tmp/rubbish" "rubbish" "${ignored[@]}"
: >"$tmp/empty"
over "$tmp/empty" "empty"
for bytes in 70 4096 65536 1000000; do
	head -c "$bytes" "$libxml" >"$tmp/cut"
	over "$tmp/cut" "cut off after $bytes bytes"
done
other=$(realpath "$(printf '%s\n' "${libraries[@]}" | grep -m1 '/libz\.so\|/liblzma\.so\|/libm\.so')")
over "$other" "another library"
grep -q 'LIBXML2_\|xml' "$tmp/last" || die "it is not said what is missing: $(cat "$tmp/last")"

# The second stage itself: not there, a folder, cut off, without its function.
mkdir "$tmp/alone"
cp "$VW_BUILD/hook" "$tmp/alone/"
whole=$hook
hook=$tmp/alone/hook
if [ ! -e /usr/lib/virt-warden/virt-warden-hook.so ]; then
	broken "no second stage"
	grep -q 'virt-warden-hook.so' "$tmp/last" || die "it is not said what is missing: $(cat "$tmp/last")"
fi
mkdir "$tmp/alone/virt-warden-hook.so"
broken "a folder"
rmdir "$tmp/alone/virt-warden-hook.so"
head -c 9000 "$VW_BUILD/virt-warden-hook.so" >"$tmp/alone/virt-warden-hook.so"
broken "half a second stage"
cp "$libxml" "$tmp/alone/virt-warden-hook.so"
broken "another second stage"

# And with all in its place it refuses.
cp "$VW_BUILD/virt-warden-hook.so" "$tmp/alone/"
for hook in "$whole" "$tmp/alone/hook"; do
	run_hook prepare < <(domain "$wrong")
	expect_status 1
done
echo ok
