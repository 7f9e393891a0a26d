#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Files of at most 400 lines and functions of at most 60 (tests apart); each file says what it is.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

mapfile -t files < <(sources "${code[@]}")
[ ${#files[@]} -gt 20 ] || bad "no sources found"
for file in "${files[@]}"; do
	lines=$(wc -l <"$file")
	[ "$lines" -le 400 ] || bad "$file: $lines lines; split it"
done

# name, file, first and last line of every function
while read -r name file first last; do
	[ $((last - first + 1)) -le 60 ] ||
		bad "$file:$first: $name has $((last - first + 1)) lines; a table or a split would read better"
done < <(printf '%s\n' "${files[@]}" | ctags -L - -o - --languages=C --kinds-C=f --fields=ne --sort=no |
	sed -E 's/^([^\t]*)\t([^\t]*)\t.*\tline:([0-9]+)\tend:([0-9]+).*/\1 \2 \3 \4/')

# Line 1: the licence (a script: line 2). The next one: a comment that says what the file is.
for file in "${files[@]}" $(sources tests); do
	sed -n 1p "$file" | grep -qx '/\* SPDX-License-Identifier: LGPL-2.1-or-later \*/' ||
		bad "$file:1: the SPDX line is missing"
	sed -n 2p "$file" | grep -qE '^/\* .{15}' || bad "$file:2: no line says what the file is for"
done
while read -r file; do
	sed -n 1,2p "$file" | grep -qx '# SPDX-License-Identifier: LGPL-2.1-or-later' ||
		bad "$file: the SPDX line is missing"
	sed -n 1,6p "$file" | grep -vE '^#!|SPDX|^# (timeout:|serial|shellcheck )' | grep -qE '^# .{15}' ||
		bad "$file: no line says what the file is for"
done < <(find tests .ci install.sh run install.mk Makefile -type f \
	\( -name '*.sh' -o -name '*.mk' -o -name run -o -name Makefile -o -perm -u+x \) | sort)
while read -r file; do
	head -n 5 "$file" | grep -q 'SPDX-License-Identifier: LGPL-2.1-or-later' ||
		bad "$file: the SPDX line is missing in the first five lines"
done < <(find xml-templates -type f)
exit "$status"
