# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests that run a program behind its unit's SystemCallFilter=: after lib.sh, unit_syscalls UNIT makes
# $tmp/calls (their names) and $tmp/only-syscalls (tests/virsh/lib/only-syscalls.c).
# shellcheck disable=SC2154 # tmp, top: lib.sh

members() {
	local word
	systemd-analyze syscall-filter "$1" | sed 1d | while read -r word _; do
		case $word in
		'#'* | '') ;;
		@*) members "$word" ;;
		*) echo "$word" ;;
		esac
	done
}
permitted() { # permitted UNIT
	local words word verb
	members @default | sed 's/^/+ /'
	sed -n 's/^SystemCallFilter=//p' "$1" | while read -r words; do
		verb=+
		[[ $words != ~* ]] || verb=-
		for word in ${words#\~}; do
			if [[ $word == @* ]]; then members "$word"; else echo "$word"; fi | sed "s/^/$verb /"
		done
	done
}
unit_syscalls() {
	permitted "$1" | awk '$1 == "+" { on[$2] = 1 } $1 == "-" { delete on[$2] } END { for (call in on) print call }' >"$tmp/calls"
	gcc -O2 -Wall -Werror -o "$tmp/only-syscalls" "$top/tests/virsh/lib/only-syscalls.c" -lseccomp
	grep -qx openat "$tmp/calls" && ! grep -qx setpriority "$tmp/calls" || fail "the unit's system calls: $(tr '\n' ' ' <"$tmp/calls")"
}
