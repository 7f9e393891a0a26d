#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# Who needs whom, by the symbols of what was built: no circle between rooms, and inside a room
# none of more than three files.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

graph=$(mktemp)
trap 'rm -f "$graph"' EXIT
# FILE NEEDS-FILE SYMBOL
find "$VW_BUILD/obj" -name '*.o' -not -path '*/obj/tests/*' -exec nm -A --format=posix {} + |
	sed "s,^$VW_BUILD/obj/,,; s,\.o: , ," | awk '
		$2 ~ /^vir[DCNE]/ { next } # of libvirt, which the preload library stands in for
		$3 == "U" { uses[++n] = $1 " " $2; next }
		$3 ~ /^[A-TV-Z]$/ { home[$2] = $1 }
		END {
			for (i = 1; i <= n; i++) {
				split(uses[i], u)
				if (u[2] in home && home[u[2]] != u[1]) print u[1], home[u[2]], u[2]
			}
		}' >"$graph"
[ "$(wc -l <"$graph")" -gt 1000 ] || bad "the graph of $VW_BUILD is too small: is all built?"

# circles MAX: of the edges A B on stdin, the sets that reach each other and have more than MAX members
circles() {
	awk -v max="$1" '
		{ edge[$1, $2] = node[$1] = node[$2] = 1 }
		END {
			for (k in node) for (i in node) if ((i, k) in edge) for (j in node) if ((k, j) in edge) edge[i, j] = 1
			for (i in node) {
				set = ""; n = 0
				if (i in done) continue
				for (j in node) if (j == i || (((i, j) in edge) && ((j, i) in edge))) { set = set " " j; done[j] = 1; n++ }
				if (n > max) print set
			}
		}'
}
room='function room(f) { sub("/[^/]*$", "", f); return f }'
while read -r -a rooms; do
	bad "a circle of rooms: ${rooms[*]}"
	awk "$room"'BEGIN { n = split(ARGV[2], r); for (i = 1; i <= n; i++) in_set[r[i]] = 1; delete ARGV[2] }
		room($1) in in_set && room($2) in in_set && room($1) != room($2) { print "  " $1, "needs", $3, "of", $2 }' \
		"$graph" "${rooms[*]}"
done < <(awk "$room"'room($1) != room($2) { print room($1), room($2) }' "$graph" | sort -u | circles 1)
while read -r -a files; do
	bad "a circle of ${#files[@]} files: ${files[*]}"
done < <(awk "$room"'room($1) == room($2) { print $1, $2 }' "$graph" | sort -u | circles 3)
exit "$status"
