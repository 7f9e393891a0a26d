#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# `--help` and the manual pages say the same: verbs, their summaries, their options.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

warden=$VW_BUILD/virt-warden
LC_ALL=C.UTF-8
export LC_ALL

# Options in a help text (stdin) and in a page: lines of their own, "--name" each.
help_options() { sed -nE 's/^ +(-[a-zA-Z], )?(--[a-z-]+).*/\2/p' | sort -u; }
page_options() { sed -nE 's/^\.It .*Fl Fl ([a-z-]+).*/--\1/p' "$1" | sort; }

same() { # same WHAT A B
	[ "$2" = "$3" ] || bad "$1: --help has '${2//$'\n'/ }', the page '${3//$'\n'/ }'"
}

mapfile -t verbs < <("$warden" --help | sed -nE '/^Verbs:/,/^$/s/^  ([a-z]+) .*/\1/p')
[ ${#verbs[@]} -ge 9 ] || bad "virt-warden --help names ${#verbs[@]} verbs"
common=$("$warden" --help | help_options)
same "virt-warden" "$common" "$(page_options docs/virt-warden.1)"

for verb in "${verbs[@]}"; do
	page=docs/virt-warden-$verb.1
	if [ ! -e "$page" ]; then
		bad "$verb: there is no $page"
		continue
	fi
	summary=$("$warden" --help | sed -nE "s/^  $verb +//p")
	same "$verb, summary" "$summary" "$(sed -n 's/^\.Nd //p' "$page")"
	same "$verb, in virt-warden.1" "$summary" "$(grep -A1 -x ".It Cm $verb" docs/virt-warden.1 | tail -n 1)"
	same "$verb, options" "$("$warden" "$verb" --help | help_options | comm -23 - <(echo "$common"))" \
		"$(page_options "$page")"
	grep -qx ".Xr virt-warden-$verb 1.*" docs/virt-warden.1 || bad "$verb: virt-warden.1 does not point at it"
done
for page in docs/virt-warden-*.1; do
	verb=${page#docs/virt-warden-}
	[[ " ${verbs[*]} " == *" ${verb%.1} "* ]] || bad "$page: there is no such verb"
done

# The same with the verb's help as `virt-warden help VERB`, and with stdout only.
[ "$("$warden" help fix)" = "$("$warden" fix --help 2>/dev/null)" ] || bad "help fix is not fix --help"
exit "$status"
