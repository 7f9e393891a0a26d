#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# All domain XML of libvirt's own tests through the engine, with many variations of facts: no
# crash, fix(fix(x)) = fix(x) byte for byte, schema-valid stays schema-valid, every rule fires.
# VW_LONG=yes: each kind of disk and of further device with each OS.
# timeout: 600
set -euo pipefail
# shellcheck source=../corpus/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../corpus/common.sh"
trap 'rm -rf "$dir"' EXIT

prepare_corpus "$dir/xml"
schema=$VW_BUILD/cache/corpus/schemas/domain.rng
"$VW_BUILD/corpus/validate" "$schema" "$dir/xml"/*.xml >"$dir/valid.before"
names valid "$dir/valid.before" >"$dir/valid"
echo "$(wc -l <"$dir/valid") schema-valid"
[ "$(wc -l <"$dir/valid")" -gt 900 ] || fail "that is no corpus"

status=0
while read -r name options; do
	# shellcheck disable=SC2086  # options are words
	plan_corpus "$name" "$top/tests/corpus/caps" "$dir/xml" "$dir/out.$name" $options
	"$VW_BUILD/corpus/validate" "$schema" "$dir/out.$name"/*.xml >"$dir/valid.after"
	names valid "$dir/valid.after" >"$dir/valid.now"
	lost=$(comm -23 "$dir/valid" "$dir/valid.now")
	if [ -n "$lost" ]; then
		echo "FAILED: $name: no longer valid: $(wc -w <<<"$lost")"
		grep -Fw -f <(head -n 10 <<<"$lost" | sed 's/^/invalid /') "$dir/valid.after" || true
		status=1
	fi
	echo "$name: $(names planned "$dir/plan.$name" | wc -l) planned," \
		"$(grep -c '^planned [^ ]* ' "$dir/plan.$name") changed," \
		"$(names unreadable "$dir/plan.$name" | wc -l) unreadable"
	unreadable=$(names unreadable "$dir/plan.$name" | comm -12 - "$dir/valid")
	[ -z "$unreadable" ] || { echo "FAILED: valid, but unreadable: $unreadable"; status=1; }
	rm -rf "$dir/out.$name"
done < <(variations)

# Whatever the disks are like, with media, a card to boot from, a host device with a system: unless
# every disk was read and holds nothing, nothing that the guest sees or boots from is changed.
systems=(debian11 win10 freebsd13.0)
i=0
for extra in media pxe hostdev; do
	for blank in yes no unknown absent; do
		those=("${systems[i++ % 3]}")
		[ "${VW_LONG-}" != yes ] || those=("${systems[@]}")
		for os in "${those[@]}"; do
			name=$os-$extra-$blank
			plan_corpus "$name" "$top/tests/corpus/caps" "$dir/xml" "$dir/out" \
				--os "$os" --new yes --blank $blank --extra $extra
			echo "$name: $(names planned "$dir/plan.$name" | wc -l) planned," \
				"$(awk '$1 == "rule" && $2 == "disk-bus" { print $3 }' "$dir/plan.$name") disks moved"
			rm -rf "$dir/out"
		done
	done
done

echo "how often each rule changed something, was held back, would refuse:"
cat "$dir"/plan.* | awk '
	BEGIN { says["shared-memory"] = says["disk-format"] = 1 } # rules that only report
	$1 == "rule" { fix[$2] += $3; skip[$2] += $4; refuse[$2] += $5 }
	END {
		for (r in fix) {
			printf "  %-14s %7d %7d %7d\n", r, fix[r], skip[r], refuse[r]
			if (!fix[r] == !says[r]) bad = 1
		}
		exit bad
	}' | sort || fail "a rule never changed anything, or one that only reports did"
exit "$status"
