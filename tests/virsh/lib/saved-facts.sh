# shellcheck shell=bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# For tests of preflight and matrix on saved facts: no libvirt is asked. The caller ends with exit $failed.
# shellcheck disable=SC2034 # for the caller

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
warden=$VW_BUILD/virt-warden
facts=$top/tests/migrate/facts
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

fail()
{
	printf 'FAIL: %s\n' "$*"
	failed=1
}

