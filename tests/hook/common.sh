# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash disable=SC2034 # variables are used by the tests
# What all tests of the hook share. Source it first, with the test's arguments: the
# test starts anew in a mount namespace of its own with a private /dev and /run, so
# that the hook is run as libvirtd runs it: the real program, the real /dev/log.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$here/../../build}")
export VW_BUILD
hook=$VW_BUILD/hook

if [ "${VW_HOOK_TEST_INSIDE:-}" != 1 ]; then
	map=()
	[ "$(id -u)" -eq 0 ] || map=(--user --map-root-user)
	VW_HOOK_TEST_INSIDE=1 exec unshare --mount --propagation private "${map[@]}" -- bash "$0" "$@"
fi

die() {
	echo "FAILED: $*" >&2
	exit 1
}

# Images lie beside the build: a disk filesystem that takes O_DIRECT.
tmp=$(mktemp -d "$VW_BUILD/test-hook-XXXXXX")
sink_pid=''
cleanup() {
	local status=$?
	[ -z "$sink_pid" ] || kill "$sink_pid" 2>/dev/null || true
	[ "$status" -eq 0 ] || { [ ! -s "$tmp/log" ] || tail -n 20 "$tmp/log"; } >&2
	cd /
	umount -l "$tmp"/mnt-* 2>/dev/null || true
	rm -rf "$tmp"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

private_dev() {
	local node
	mkdir "$tmp/dev"
	mount -t tmpfs -o mode=755 tmpfs "$tmp/dev"
	for node in null zero urandom fuse; do
		[ -e "/dev/$node" ] || continue
		touch "$tmp/dev/$node"
		mount --bind "/dev/$node" "$tmp/dev/$node"
	done
	ln -s /proc/self/fd "$tmp/dev/fd"
	mount --move "$tmp/dev" /dev
}
private_dev

# libvirtd gives a hook a clean environment; ours holds the paths of this test only.
export VIRT_WARDEN_CONF=$tmp/warden.conf VIRT_WARDEN_STATEDIR=$tmp/state
unset VIRT_WARDEN_LOG VIRT_WARDEN VIRT_WARDEN_SYSROOT VIRT_WARDEN_DATADIR VIRT_WARDEN_CACHEDIR
log=$tmp/log

log_start() { # a log daemon at /dev/log: one datagram, one line in $log
	: >"$log"
	/usr/bin/python3 "$here/log-sink.py" /dev/log "$log" &
	sink_pid=$!
	wait_for test -S /dev/log
}

wait_for() { # wait_for CMD…: until it succeeds, 10 s at most
	local n=200
	until "$@"; do
		[ $((n -= 1)) -gt 0 ] || die "gave up waiting for: $*"
		sleep 0.05
	done
}

log_syncs=0
log_sync() { # all that was sent is in $log now
	log_syncs=$((log_syncs + 1))
	logger --socket /dev/log --tag vw-sync "mark-$log_syncs-"
	wait_for grep -q "mark-$log_syncs-" "$log"
	sed '/vw-sync.*mark-/d' "$log" >"$log.new"
	cat "$log.new" >"$log" # the sink has the file open
}

policy() { # policy LINE…: the configuration; none: no file
	rm -f "$VIRT_WARDEN_CONF"
	[ $# -eq 0 ] || printf '%s\n' "$@" >"$VIRT_WARDEN_CONF"
}

uuid=7ac1ad4f-7d2b-4a0b-a8a6-5a3f0c2b1e10

image() { # image NAME: a file beside the test, its path on stdout
	truncate -s 1M "$tmp/$1"
	echo "$tmp/$1"
}

disk() { # disk TARGET DRIVER-ATTRIBUTES SOURCE-ATTRIBUTES [TYPE [MORE]]
	printf "    <disk type='%s' device='disk'>\n      <driver name='qemu' type='raw'%s/>\n" \
		"${4:-file}" "${2:+ $2}"
	printf "      <source %s/>\n      <target dev='%s' bus='virtio'/>\n%s    </disk>\n" \
		"$3" "$1" "${5:+      $5$'\n'}"
}

domain() { # domain DISKS [METADATA [NAME [UUID]]]
	cat <<-END
		<domain type='kvm'>
		  <name>${3:-web1}</name>
		  <uuid>${4-$uuid}</uuid>
		  <metadata>${2:-}</metadata>
		  <memory unit='KiB'>1048576</memory>
		  <devices>
		    <emulator>/usr/bin/qemu-system-x86_64</emulator>
		$1
		  </devices>
		</domain>
	END
}

# The hook as libvirtd runs it. Sets $status; stdout in $tmp/out, stderr in $tmp/err,
# what it logged alone in $log.
run_hook() { # run_hook OPERATION [NAME] <XML
	: >"$log"
	status=0
	env -i LC_ALL=C PATH=/usr/bin:/bin HOME=/root USER=root LOGNAME=root \
		VIRT_WARDEN_CONF="$VIRT_WARDEN_CONF" VIRT_WARDEN_STATEDIR="$VIRT_WARDEN_STATEDIR" \
		"$hook" "${2:-web1}" "$1" begin - >"$tmp/out" 2>"$tmp/err" || status=$?
	expect_no_child
	[ -z "$sink_pid" ] || log_sync
}

# field KEY LINE: the value of KEY="…" or KEY=… in a log line
field() {
	sed -nE "s/.* $1=\"(([^\"\\\\]|\\\\.)*)\".*/\1/p; t; s/.* $1=([^ \"]+).*/\1/p" <<<"$2"
}

# The findings in $log, one a line: "device before after action"
findings() {
	local line
	while read -r line; do
		[[ $line == *": finding "* ]] || continue
		[ "$(field rule "$line")" = disk-cache ] || die "another rule: $line"
		echo "$(field device "$line") $(field before "$line") $(field after "$line") $(field action "$line")"
	done <"$log"
}

expect() { # expect WHAT ACTUAL WANTED
	[ "$2" = "$3" ] || die "$1: got
$2
wanted
$3"
}

expect_status() { [ "$status" -eq "$1" ] || die "exit status $status, wanted $1: $(cat "$tmp/err")"; }
expect_silent() { # nothing on stdout and stderr
	[ ! -s "$tmp/out" ] || die "stdout: $(head -c 500 "$tmp/out")"
	[ ! -s "$tmp/err" ] || die "stderr: $(head -c 500 "$tmp/err")"
}
expect_log() { grep -qE -- "$1" "$log" || die "no line in the log matches: $1"; }
expect_no_log() { [ ! -s "$log" ] || die "the log is not empty"; }

# No process of the hook is left in our process group.
expect_no_child() {
	local left
	left=$(pgrep -x vw-probe -g "$(ps -o pgid= -p $$ | tr -d ' ')" || true)
	[ -z "$left" ] || die "left behind: $left"
}
