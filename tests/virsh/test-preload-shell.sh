#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# virsh's interactive shell, several commands in one argument, commands from stdin: all define
# through us. In the shell: several defines in one process, prompts and errors as ever.
# timeout: 120
set -euo pipefail
# shellcheck source-path=SCRIPTDIR
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
lab_start

for n in a b c d e; do
	generic "$n" >"$tmp/$n.xml"
done

# "cmd; cmd"
run 0 on virsh "define $tmp/a.xml; domname a; define $tmp/b.xml"
stored_has a "bus='virtio'"
stored_has b "bus='virtio'"
[ "$(grep -c '^virt-warden: [ab]: ' "$tmp/err")" = 2 ] || fail "not one note each"
run 1 on virsh "define $tmp/c.xml; define /nonexistent; domname a"
stored_has c "bus='virtio'"
has "$tmp/err" 'nonexistent'
hasnt "$tmp/out" '^a$'

# From stdin, no terminal.
printf 'define %s\nlist --all --name\nquit\n' "$tmp/d.xml" | on virsh >"$tmp/out" 2>"$tmp/err" || fail "stdin"
stored_has d "bus='virtio'"
has "$tmp/out" '^d$'
has "$tmp/err" '^virt-warden: d: '

# On a terminal. The notes stand between the command and virsh's own line.
{
	sleep 0.5
	printf 'define %s\n' "$tmp/e.xml"
	sleep 1
	printf 'define %s\n' /nonexistent
	printf 'undefine e\ndefine %s\n' "$tmp/e.xml"
	sleep 1
	printf 'quit\n'
} | TERM=dumb on script -qec "virsh" "$tmp/typescript" >"$tmp/out" 2>"$tmp/err" || fail "shell"
tr -d '\r' <"$tmp/out" >"$tmp/shell"
has "$tmp/shell" "^Type:  'help' for help with commands"
[ "$(grep -c '^virt-warden: e: [0-9]* fixes' "$tmp/shell")" = 2 ] || fail "not a note for each define"
[ "$(grep -c "^Domain 'e' defined from" "$tmp/shell")" = 2 ] || fail "not two defines"
has "$tmp/shell" 'error: .*nonexistent'
stored_has e "bus='virtio'"
[ -z "$(on pgrep -x virsh || true)" ] || fail "a process is left"
