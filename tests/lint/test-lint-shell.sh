#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The tool shellcheck is silent on every shell script; every test stops at the first error.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Every text file whose first line names a shell, and every *.sh (some are only sourced).
mapfile -t scripts < <(
	{
		find tests docs hooks plugin agent .ci -type f -name '*.sh' 2>/dev/null
		find ./install.sh ./run tests docs hooks plugin agent .ci -type f -size -200k 2>/dev/null |
			while read -r file; do
				! head -n 1 "$file" | grep -aqE '^#!.*\b(ba)?sh\b' || echo "$file"
			done
	} | sed 's|^\./||' | sort -u
)
[ ${#scripts[@]} -gt 10 ] || bad "no scripts found"
shellcheck "${scripts[@]}" || status=1
for test in tests/{lint,hook,virsh,lab}/test-*.sh; do
	[ ! -e "$test" ] || grep -qE '^set -euo pipefail$' "$test" || bad "$test: lacks set -euo pipefail"
done
exit "$status"
