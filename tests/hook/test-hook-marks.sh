#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# With start = refuse, an incoming migration and a restore are never refused: a mark
# says so. It counts once, for ten minutes, for one boot, for one UUID, and only if it is ours.
set -euo pipefail
source "$(dirname "$0")/common.sh"
log_start

policy '[policy]' 'start = refuse'
# prepare is given what came in, not what migrate made of it: so it has something to refuse.
img=$(image a.img)
wrong=$(disk vda "cache='writeback'" "file='$img'")
marks=$tmp/state/run/incoming

refused() { # refused WHY: a cold start must be refused
	run_hook prepare < <(domain "$wrong")
	[ "$status" -eq 1 ] || die "not refused: $1"
}
not_refused() {
	run_hook prepare < <(domain "$wrong")
	[ "$status" -eq 0 ] || die "refused: $1"
	expect_silent
	expect findings "$(findings)" "vda writeback none fix"
}

refused "a cold start"
for op in migrate restore; do
	run_hook "$op" < <(domain "$wrong")
	expect_status 0
	expect modes "$(stat -c %a "$marks" "$marks/$uuid")" "700
600"
	not_refused "the start that belongs to $op"
	[ ! -e "$marks/$uuid" ] || die "the mark was not taken"
	refused "the next cold start after $op"
done

# A UUID in capitals is the same domain; another UUID is another.
run_hook migrate < <(domain "$wrong" '' web1 "${uuid^^}")
not_refused "capitals"
run_hook migrate < <(domain "$wrong" '' web1 "${uuid/7ac1/7ac2}")
refused "another domain's mark"
rm "$marks/${uuid/7ac1/7ac2}"

# Stale: too old, of another boot, from the future, cut off, empty.
run_hook migrate < <(domain "$wrong")
read -r boot seconds <"$marks/$uuid"
try() { # try TEXT WHY
	printf '%s' "$1" >"$marks/$uuid"
	refused "$2"
	[ ! -e "$marks/$uuid" ] || die "the mark stays: $2"
}
try "$boot $((seconds - 601))"$'\n' "601 s old"
try "$boot $((seconds + 3600))"$'\n' "from the future"
try "00000000-0000-0000-0000-000000000000 $seconds"$'\n' "of another boot"
try "$boot -9223372036854775808"$'\n' "a hostile number"
try "$boot $seconds" "cut off"
try "" "empty"
printf '%s %s\n' "$boot" $((seconds - 500)) >"$marks/$uuid"
not_refused "500 s old"

# What is not a file of ours is no mark, and nothing is written through it.
echo victim >"$tmp/victim"
ln -s "$tmp/victim" "$marks/$uuid"
refused "a symbolic link"
mkfifo "$marks/$uuid"
refused "a FIFO"
ln -sf "$tmp/victim" "$marks/$uuid"
run_hook migrate < <(domain "$wrong")
expect victim "$(cat "$tmp/victim")" victim
[ ! -L "$marks/$uuid" ] || die "the link is still there"
not_refused "a mark in the link's place"

# Stale marks do not pile up: 20,000 that nobody took, of another boot, go while others are written.
for i in {10000..29999}; do echo "another-boot 1" >"$marks/7ac1ad4f-7d2b-4a0b-a8a6-0000000$i"; done
for _ in 1 2 3 4 5 6; do run_hook migrate < <(domain "$wrong"); done
expect "stale marks" "$(find "$marks" -type f | wc -l)" 1
not_refused "a fresh mark among stale ones"

# UUIDs that are none never become a path.
for bad in '../../../../victim' '' '7ac1ad4f-7d2b-4a0b-a8a6-5a3f0c2b1e1' "${uuid}0" \
	'7ac1ad4f/7d2b-4a0b-a8a6-5a3f0c2b1e10' 'ac1ad4f7d2b4a0ba8a65a3f0c2b1e10ab---'; do
	run_hook migrate < <(domain "$wrong" '' web1 "$bad")
	expect_status 0
	expect_log 'its start may be refused: the XML has no proper UUID'
	run_hook prepare < <(domain "$wrong" '' web1 "$bad")
	expect_status 1
done
expect "files that were made" "$(find "$tmp/state" -path '*incoming*' -type f)" ""

# A directory that is open to others, a link or no directory is not used; that is said.
chmod 777 "$marks"
run_hook migrate < <(domain "$wrong")
expect_status 0
expect_log "op=migrate uuid=$uuid: .*$marks: Operation not permitted"
refused "a mark from a directory that is open to all"
rmdir "$marks"
mkdir -m 700 "$tmp/elsewhere"
ln -s "$tmp/elsewhere" "$marks"
run_hook migrate < <(domain "$wrong")
expect_log "its start may be refused: $marks: "
expect "files elsewhere" "$(ls "$tmp/elsewhere")" ""
rm "$marks"
rmdir "$tmp/state/run"
echo >"$tmp/state/run"
run_hook migrate < <(domain "$wrong")
expect_status 0
expect_log 'its start may be refused: '
echo ok
