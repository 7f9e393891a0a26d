# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# A forecast beside what libvirt really does: for the tests that prove preflight by migrations. Needs
# common.sh, test.sh and a lab of two hosts. Ends with the confusion table and its figures.
# shellcheck disable=SC2154 # lab and work come from test.sh

# What libvirt says when it refuses, by the reason that was forecast: its class of error.
declare -A ERRORS=(
	[already-active]='is already active'
	[block-job]='has active block job'
	[boot-file-missing]='No such file or directory'
	[bridge-missing]="Cannot get interface MTU on 'br9"
	[cpu-features]="guest CPU doesn't match specification: missing features"
	[disk-missing]='Cannot access storage file .*No such file'
	[disk-not-shared]='Unsafe migration: Migration without shared storage'
	[disk-target-missing]='Storage pool not found|pre-?create|No such file'
	[disk-transient]='transient disk'
	[host-same]='Attempt to migrate guest to the same host'
	[machine-missing]='does not support machine type'
	[media-missing]='Cannot access storage file .*No such file'
	[name-taken]="domain '.*' already exists with uuid"
	[network-inactive]='network .* is not active'
	[network-missing]='Network not found'
	[port-taken]='Failed to reserve port'
	[shmem]='ivshmem|shmem'
	[snapshot]='cannot migrate domain with [0-9]+ snapshots'
	[tpm]='TPM .*not supported|swtpm'
	[uuid-taken]="domain '.*' is already defined with uuid"
	[virtiofs]='virtiofs|vhost-user-fs'
)

declare -A table=() # "VERDICT OUTCOME" -> how many
wrong=0 right=0 rows=0
dangers=() # "NAME: why libvirt lets it through"

# real HOST ARGUMENT…: libvirt's own virsh.
real()
{
	local host=$1
	shift
	"$lab" exec "$host" /usr/bin/virsh -q -c qemu:///system "$@"
}

# predict HOST NAME DESTURI OPTION…: leaves $there and $back (verdicts), $ids (worse than info, there),
# $ids_back, $blockers and $blockers_back.
predict()
{
	local status=0 host=$1
	shift
	"$lab" exec "$host" "$VW_BUILD/virt-warden" -c qemu:///system --json preflight "$@" >"$work/json" 2>"$work/preflight" ||
		status=$?
	there=$(jq -r '.directions[0].verdict' "$work/json")
	back=$(jq -r '.directions[1].verdict' "$work/json")
	ids=$(jq -r '[.directions[0].reasons[] | select(.severity != "info") | .id] | unique | join(" ")' "$work/json")
	ids_back=$(jq -r '[.directions[1].reasons[] | select(.severity != "info") | .id] | unique | join(" ")' "$work/json")
	blockers=$(jq -r '[.directions[0].reasons[] | select(.severity == "blocker") | .id] | unique | join(" ")' "$work/json")
	blockers_back=$(jq -r '[.directions[1].reasons[] | select(.severity == "blocker") | .id] | unique | join(" ")' "$work/json")
	case $there$status in
	ok0 | blocked1 | risk1 | unknown3) ;;
	*) fail "preflight $1: verdict $there, exit $status: $(<"$work/preflight")" ;;
	esac
}

# move HOST NAME DESTURI OPTION…: leaves $outcome, and libvirt's words in $work/migrate.
move()
{
	local host=$1 name=$2 to=$3
	shift 3
	outcome=moved
	real "$host" migrate "${live---live}" "$name" "$to" "$@" >"$work/migrate" 2>&1 || outcome=refused
}

# error_fits BLOCKERS: is libvirt's error of a class that one of them stands for?
error_fits()
{
	local id
	for id in $1; do
		[ -n "${ERRORS[$id]-}" ] || fail "no class of error is known for $id"
		! grep -Eq "${ERRORS[$id]}" "$work/migrate" || return 0
	done
	return 1
}

# row NAME WAY VERDICT IDS BLOCKERS: a line of the table; $outcome is what happened.
row()
{
	local fits=yes said=''
	[ "$outcome" = moved ] || said=$(sed -n 's/^error: //p' "$work/migrate" | tail -n 1)
	case $3,$outcome in
	blocked,refused) error_fits "$5" || fits=NO ;;
	ok,moved | risk,moved | unknown,*) ;;
	*) fits=NO ;;
	esac
	if [ "$fits" = yes ]; then right=$((right + 1)); else wrong=$((wrong + 1)); fi
	rows=$((rows + 1))
	table["$3 $outcome"]=$((${table["$3 $outcome"]-0} + 1))
	if [ "$3" = risk ] && [ -n "${danger-}" ]; then
		dangers+=("${1:-and back}: $danger")
	fi
	printf '%-16s %-10s %-8s %-40s %-8s %-4s %s\n' "$1" "$2" "$3" "$4" "$outcome" "$fits" "${said:0:100}"
}

# wanted NAME VERDICT ID: the forecast is the one that this scenario is made for.
wanted()
{
	[ "$there" = "$2" ] && [[ " $ids " == *" $3 "* || -z $3 ]] && return 0
	echo "  $1: wanted $2 $3: $(jq -c '[.directions[0].reasons[].id]' "$work/json")"
	wrong=$((wrong + 1))
}

# other HOST: the other one.
other()
{
	if [ "$1" = alpha ]; then echo beta; else echo alpha; fi
}

# scenario NAME VERDICT ID [PREFLIGHT-OPTION…] [-- MIGRATE-OPTION…] <XML: start it on $from (alpha), run
# $prepare NAME, forecast, migrate to $dest (the other host), and back. $danger: why it is a risk though
# libvirt lets it through. Where it moved, $moved NAME looks at the guest there.
scenario()
{
	local name=$1 want=$2 id=$3 from=${from-alpha} to options=()
	shift 3
	to=$(other "$from")
	while [ $# -gt 0 ] && [ "$1" != -- ]; do
		options+=("$1") && shift
	done
	[ $# -eq 0 ] || shift
	cat >"$work/$name.xml"
	real "$from" create "$work/$name.xml" >"$work/out" 2>&1 || fail "$name does not start: $(<"$work/out")"
	"${prepare-true}" "$name"
	predict "$from" "$name" "${dest-${uri[$to]}}" "${options[@]}"
	wanted "$name" "$want" "$id"
	move "$from" "$name" "${dest-${uri[$to]}}" "$@"
	row "$name" "$from-$to" "$there" "$ids" "$blockers"
	if [ "$outcome" = moved ]; then
		"${moved-true}" "$name"
		move "$to" "$name" "${uri[$from]}" "$@"
		row "" "and back" "$back" "$ids_back" "$blockers_back"
	fi
	real alpha destroy "$name" >/dev/null 2>&1 || true
	real beta destroy "$name" >/dev/null 2>&1 || true
}

count()
{
	echo $((${table["$1"]-0}))
}

percent()
{
	awk -v a="$1" -v b="$2" 'BEGIN { printf "%.1f", b ? 100 * a / b : 100 }'
}

# outcome_end: the confusion table; fails if a forecast was wrong or too many said nothing.
outcome_end()
{
	local verdict refused unknown risk
	printf '\n%-10s %8s %8s\n' forecast moved refused
	for verdict in ok risk unknown blocked; do
		printf '%-10s %8d %8d\n' $verdict "$(count "$verdict moved")" "$(count "$verdict refused")"
	done
	refused=$(($(count "ok refused") + $(count "risk refused") + $(count "unknown refused") + $(count "blocked refused")))
	unknown=$(($(count "unknown moved") + $(count "unknown refused")))
	risk=$(($(count "risk moved") + $(count "risk refused") - ${#dangers[@]}))
	printf 'precision of "blocked": %s %% (%d of %d); recall: %s %% (%d of %d)\n' \
		"$(percent "$(count "blocked refused")" $(($(count "blocked refused") + $(count "blocked moved"))))" \
		"$(count "blocked refused")" $(($(count "blocked refused") + $(count "blocked moved"))) \
		"$(percent "$(count "blocked refused")" $refused)" "$(count "blocked refused")" $refused
	printf 'unknown: %s %% (%d); risk: %s %% (%d), and %d that libvirt lets through though they are dangerous\n' \
		"$(percent $unknown $rows)" $unknown "$(percent $risk $rows)" $risk "${#dangers[@]}"
	printf '  %s\n' "${dangers[@]}"
	printf '%d forecasts, %d right, %d wrong\n' $rows $right $wrong
	[ $wrong -eq 0 ] || fail "$wrong forecasts are wrong"
	[ $((unknown * 100)) -le $((rows * 15)) ] || fail "too many are unknown"
	[ $((risk * 100)) -le $((rows * 15)) ] || fail "too many are a risk without a danger"
}
