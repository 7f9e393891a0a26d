#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# The rule ids are a contract: each is in the engine, and each of the engine's is in the manual.
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

contract="disk-cache disk-io disk-discard disk-bus disk-iothread cdrom-bus nic-model nic-queues rng
	agent-channel balloon panic-device usb tablet video hyperv clock cpu-mode machine firmware tpm
	os-metadata"
mapfile -t rules < <("$VW_BUILD/corpus/plan-all" --list-rules)
[ ${#rules[@]} -gt 0 ] || bad "the engine lists no rules"
for id in $contract; do
	printf '%s\n' "${rules[@]}" | grep -qx -- "$id" || bad "rule $id is a contract, but the engine has none"
done
for id in "${rules[@]}"; do
	# In a manual page a hyphen may be written \-.
	sed 's/\\-/-/g' docs/*.[1578] 2>/dev/null | grep -w -- "$id" >/dev/null || bad "rule $id is in no manual page"
done
exit "$status"
