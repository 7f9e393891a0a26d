#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virt-warden-osinfo media: install media are recognised, also of a release that
# osinfo-db does not know yet; hostile paths are refused without being opened.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
program=$(realpath -m "${VW_BUILD:-$top/build}")/virt-warden-osinfo
dir=$(mktemp -d)
mounted() { grep -q " $dir/hang fuse " /proc/self/mounts; }
hang_pid=
cleanup() {
	[ -z "$hang_pid" ] || kill "$hang_pid" || true
	[ -z "$hang_pid" ] || wait "$hang_pid" 2>/dev/null || true
	! mounted || umount -l "$dir/hang"
	rm -rf "$dir"
}
trap cleanup EXIT
export LSAN_OPTIONS=detect_leaks=0 # libosinfo's loader leaks 184 bytes

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

mkdir "$dir/tree"
head -c 2048 /dev/zero >"$dir/tree/boot.img"

iso() { # iso NAME OPTION…: a bootable ISO
	local name=$1
	shift
	genisoimage -quiet "$@" -b boot.img -no-emul-boot -o "$dir/$name" "$dir/tree"
}

# expect CODE ERE PATH: exit code, and the one line on stdout (0) or stderr
expect() {
	local code=0 line
	timeout -k 1 10 "$program" media "$3" >"$dir/out" 2>"$dir/err" || code=$?
	[ "$code" = "$1" ] || fail "$3: exit $code instead of $1: $(cat "$dir/out" "$dir/err")"
	if [ "$1" = 0 ]; then line=$dir/out; else line=$dir/err; fi
	[ "$(wc -l <"$line")" = 1 ] || fail "$3: not one line: $(cat "$line")"
	grep -qxE -- "$2" "$line" || fail "$3: '$(cat "$line")' does not match '$2'"
}

iso debian.iso -V 'Debian 11.5.0 amd64 n'
expect 0 'id=http://debian.org/debian/11 short-id=debian11 like=- arch=x86_64 bootable=yes installer=yes live=no' \
	"$dir/debian.iso"
iso windows.iso -V CEDNA_X64FRE_EN-US -publisher 'MICROSOFT CORPORATION'
expect 0 'id=http://microsoft.com/win/10 .* arch=x86_64 .*' "$dir/windows.iso"
genisoimage -quiet -V 'Debian 11.5.0 i386 n' -o "$dir/unbootable.iso" "$dir/tree"
expect 0 'id=http://debian.org/debian/11 .* arch=i686 bootable=no .*' "$dir/unbootable.iso"

# a release that osinfo-db does not know: its id is derived from that of the newest known one
newest=$(find "${OSINFO_SYSTEM_DIR:-/usr/share/osinfo}/os/debian.org" -name 'debian-[1-9][0-9].xml' | sort | tail -1)
newest=$(basename "$newest" .xml)
newest=${newest#debian-}
next=$((newest + 2))
iso next.iso -V "Debian $next.1.0 amd64 n"
expect 0 "id=http://debian.org/debian/$next short-id=debian$next like=debian$newest .*" "$dir/next.iso"
iso ubuntu.iso -V 'Ubuntu-Server 98.04.1 LTS amd64'
expect 1 '.*does not know this medium' "$dir/ubuntu.iso"
iso freebsd.iso -sysid FreeBSD -V 13_6_RELEASE_AMD64_DVD
expect 0 'id=http://freebsd.org/freebsd/13.6 .*' "$dir/freebsd.iso"
iso data.iso -V 'Holiday 2024'
expect 1 '.*does not know this medium' "$dir/data.iso"

# a newline in a name stays within the one line
cp "$dir/data.iso" "$dir/evil"$'\n'"id=x"
expect 1 '.*does not know this medium' "$dir/evil"$'\n'"id=x"

head -c 1000000 /dev/zero >"$dir/zero"
expect 1 '.+' "$dir/zero"
: >"$dir/empty"
expect 1 '.+' "$dir/empty"
head -c 33000 "$dir/debian.iso" >"$dir/cut.iso"
expect 1 '.+' "$dir/cut.iso"

mkfifo "$dir/fifo"
ln -s loop "$dir/loop"
ln -s /dev/zero "$dir/zero-device"
expect 3 '.*: it is a FIFO' "$dir/fifo"
expect 3 '.*: it is a directory' "$dir"
expect 3 '.*: it is a character device' "$dir/zero-device"
expect 3 '.*: it is a character device' /dev/null
ln -s /proc/version "$dir/kernel"
expect 3 '.*: it is a file that the kernel makes.*' "$dir/kernel"
expect 3 '.+' "$dir/loop"
expect 3 '.+' "$dir/absent"

# a dead file server: two seconds, and what waits for our output does not wait for the dead
mkdir "$dir/hang"
python3 "$top/tests/hook/fuse-hang.py" "$dir/hang" &
hang_pid=$!
for ((i = 0; i < 50; i++)); do
	! mounted || break
	sleep 0.1
done
mounted || fail "no FUSE mount"
start=$(date +%s%N)
expect 3 '.*in time' "$dir/hang/x.iso"
[ $(($(date +%s%N) - start)) -lt 5000000000 ] || fail "a dead file server held us up"

for arguments in '' 'x' 'media' 'media a b' 'build x' 'build --output'; do
	code=0
	# shellcheck disable=SC2086 # words
	"$program" $arguments >"$dir/out" 2>"$dir/err" || code=$?
	[ "$code" = 2 ] || fail "'$arguments': exit $code instead of 2"
	grep -q '^usage: ' "$dir/err" || fail "'$arguments': no usage"
done
for arguments in '--help' 'media --help' 'build --help'; do
	# shellcheck disable=SC2086 # words
	"$program" $arguments | grep -q '^usage: virt-warden-osinfo' || fail "$arguments"
done
