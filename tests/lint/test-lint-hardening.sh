#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Each program and library that is built: position-independent, all of it relocated before it runs and
# read-only then, no executable stack, stack protector, fortified (musl, which the wrapper may be
# linked with, has no fortify: there the compiler guards arrays instead, and ends at a ud2).
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# A copy of what is asked for, for grep -q would break the pipe of its writer.
said=$(mktemp)
trap 'rm -f "$said"' EXIT
says() { # says PATTERN COMMAND…
	"${@:2}" >"$said" 2>/dev/null
	grep -qE -- "$1" "$said"
}

programs=0
for file in "$VW_BUILD"/*; do
	[[ $file != *.[ao] && -f $file ]] && says '^ELF Header' readelf -h "$file" || continue
	name=${file##*/}
	programs=$((programs + 1))
	says 'Type: +DYN ' readelf -hW "$file" || bad "$name: not position-independent"
	[[ $name == *.so ]] || says 'FLAGS_1.* PIE' readelf -dW "$file" || bad "$name: no PIE"
	says ' GNU_RELRO ' readelf -lW "$file" || bad "$name: no RELRO"
	says '(BIND_NOW|FLAGS_1.* NOW)' readelf -dW "$file" || bad "$name: bound lazily, so RELRO is partial"
	says ' GNU_STACK .* RW ' readelf -lW "$file" || bad "$name: the stack may be executable"
	says ' (__stack_chk_fail|__stack_chk_fail_local)(@|$)' readelf -sW "$file" || bad "$name: no stack protector"
	if says 'NEEDED.*libc\.so' readelf -dW "$file"; then
		says ' UND __[a-z]+_chk(@| |$)' readelf -sW "$file" || bad "$name: not fortified"
	else
		says '\bud2\b' objdump -d --no-show-raw-insn "$file" || bad "$name: arrays are not guarded"
		! says 'INTERP' readelf -lW "$file" || bad "$name: static, and wants a linker"
	fi
done
[ "$programs" -ge 7 ] || bad "only $programs programs are built"
exit "$status"
