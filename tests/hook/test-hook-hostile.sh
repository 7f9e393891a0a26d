#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Hostile or broken XML and paths: exit 0, one line in the log, within 2 s and 200 MB;
# nothing is opened that must not be, nothing hangs, nothing is left behind.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

policy '[policy]' 'start = refuse'
img=$(image a.img)

# bounded OP WHAT SECONDS <XML: the hook with its time and memory measured
bounded() {
	: >"$log"
	status=0
	/usr/bin/time -f '%e %M' -o "$tmp/time" \
		"$hook" web1 "$1" begin - >"$tmp/out" 2>"$tmp/err" || status=$?
	read -r seconds kib < <(tail -n 1 "$tmp/time")
	log_sync
	expect_no_child
	[ "${VW_SANITIZED:-}" != yes ] || return 0 # a sanitizer's time and memory are not ours
	awk -v s="$seconds" -v max="$3" 'BEGIN { exit s > max }' || die "$2: took $seconds s"
	[ "$kib" -lt 204800 ] || die "$2: took $kib KiB"
}

broken() { # broken WHAT LINE: the XML in $tmp/in must be told of by a line like that, at every operation
	local op
	for op in prepare migrate restore; do
		bounded "$op" "$1" 2 <"$tmp/in"
		expect_status 0
		expect_silent
		expect "lines logged: $1, $op" "$(wc -l <"$log")" 1
		grep -qE "op=$op: nothing was (checked|changed): stdin.*$2" "$log" || die "$1: $(cat "$log")"
	done
}

: >"$tmp/in"
broken empty 'empty'
domain "$(disk vda '' "file='$img'")" | head -c 400 >"$tmp/in"
broken truncated 'not well-formed'
echo '<network><name>x</name></network>' >"$tmp/in"
broken "not a domain" 'root element is <network>'
head -c 100000 /dev/urandom >"$tmp/in"
broken "random bytes" ''
printf '<domain><name>\xff\xfe</name></domain>' >"$tmp/in"
broken "not UTF-8" ''
cat >"$tmp/in" <<-'END'
	<!DOCTYPE domain [ <!ENTITY a "aaaaaaaaaa"> <!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
	<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"> <!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">
	<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"> <!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;"> ]>
	<domain><name>&f;</name></domain>
END
broken "an entity bomb" 'DTD'
echo "<!DOCTYPE domain [ <!ENTITY x SYSTEM 'file:///etc/passwd'> ]><domain><name>&x;</name></domain>" >"$tmp/in"
broken "an external entity" 'DTD'
{
	printf '<domain>'
	head -c 300000 /dev/zero | sed 's,\x0,<a>,g'
} >"$tmp/in"
broken "100,000 levels" 'levels of elements'
{
	printf '<domain><name>'
	head -c 104857600 /dev/zero | tr '\0' x
	printf '</name></domain>'
} >"$tmp/in"
broken "100 MB" 'larger than'

# 10,000 disks: all are judged, at most 256 are logged.
{
	echo "<domain><name>web1</name><uuid>$uuid</uuid><devices>"
	for ((i = 0; i < 10000; i++)); do
		echo "<disk><driver name='qemu'/><source file='$img'/><target dev='d$i'/></disk>"
	done
	echo '</devices></domain>'
} >"$tmp/in"
bounded prepare "10,000 disks" 2 <"$tmp/in"
expect_status 1
grep -qF "d0 ('default'), d1 ('default'), d2 ('default'), d3 ('default'), d4 ('default'), d5 ('default'), \
d6 ('default'), d7 ('default') and 9992 more is not allowed" "$tmp/err" || die "$(cat "$tmp/err")"
expect "findings" "$(grep -c ' finding ' "$log")" 256
expect_log 'uuid=.*: 9744 more findings: virt-warden check'
bounded migrate "10,000 disks" 2 <"$tmp/in"
expect "caches set" "$(grep -c "cache='none'" "$tmp/out")" 10000

# A disk that is there and a path that must not be opened: the first is mended, the
# second left alone; opening the FIFO would let the writer go on, /dev/watchdog would be armed.
mkfifo "$tmp/fifo"
ln -s loop "$tmp/loop"
(: >"$tmp/fifo") &
writer=$!
mkdir "$tmp/dir"
touch "$tmp/unreadable"
for path in "$tmp/fifo" /dev/null /dev/zero "$tmp/loop" "$tmp/dir" relative.img '' "/$(printf 'x%.0s' {1..5000})" \
	'/../../etc' /proc/self/mem /proc/kmsg; do
	run_hook migrate < <(domain "$(disk vda '' "file='$path'"; disk vdb '' "file='$img'")")
	expect_status 0
	expect "caches with $path" "$(grep -o "cache='[a-z]*'" "$tmp/out")" "cache='none'"
	expect "findings with $path" "$(findings)" "${path:+vda default none skip
}vdb default none fix"
	grep -A1 'cache=' "$tmp/out" | grep -q "$img" || die "the wrong disk was changed"
done
kill -0 "$writer" 2>/dev/null || die "the FIFO was opened"
kill "$writer"
wait "$writer" 2>/dev/null || true

# A dead file server: 1 s a path, 3 s in all, the disks behind it are said to be unknown.
mkdir "$tmp/mnt-hang"
/usr/bin/python3 "$here/fuse-hang.py" "$tmp/mnt-hang" &
hang_pid=$!
trap 'kill "$hang_pid" 2>/dev/null || true; cleanup' EXIT
wait_for grep -q "$tmp/mnt-hang" /proc/self/mounts
hanging=$(for i in {a..j}; do disk "vd$i" '' "file='$tmp/mnt-hang/$i.img'"; done)
domain "$hanging" >"$tmp/in"
bounded prepare "ten disks on a dead server" 4 <"$tmp/in"
expect_status 0
expect "findings" "$(findings | grep -c 'default none skip')" 10
expect_log 'device="vda".*evidence=unknown.*no answer within 1 s'
expect_log "device=\"vdj\".*evidence=unknown.*the disks before it took too long to look at"
domain "$(disk vda '' "file='$tmp/mnt-hang/a.img'"; disk vdb '' "file='$img'")" >"$tmp/in"
bounded migrate "a disk on a dead server and a good one" 2 <"$tmp/in"
expect findings "$(findings)" "vda default none skip
vdb default none fix"
grep -q "cache='none'" "$tmp/out" || die "the good disk was not changed"
echo ok
