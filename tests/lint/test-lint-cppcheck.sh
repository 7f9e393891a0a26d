#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
# cppcheck is silent on all sources.
# timeout: 600
set -euo pipefail
# shellcheck source=common.sh
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# Not asked, and why:
#   memleak, resourceLeak: cppcheck does not know __attribute__((cleanup)); ASan and valgrind look
#   legacyUninitvar, nullPointerArithmeticRedundantCheck: reported against correct code (a buffer that
#     read() fills; a loop that tests the pointer first)
#   varFuncNullUB: NULL is a pointer in every C library that we build with, so it ends a list of them
#   ctunullpointer: does not see that two arguments are null together
#   nullPointerOutOfMemory: does not see that a count is 0 when its array could not be made
#   autoVariables: argv may point into the frame of main's callee, for an exec
#   normalCheckLevelMaxBranches: says what it did not look at
#   missingIncludeSystem: system headers are not read
cppcheck --quiet --std=c11 --language=c --platform=unix64 --enable=warning,performance,portability \
	--error-exitcode=1 --inline-suppr --suppress=memleak --suppress=resourceLeak \
	--suppress=legacyUninitvar --suppress=nullPointerArithmeticRedundantCheck \
	--suppress=varFuncNullUB --suppress=ctunullpointer \
	--suppress=nullPointerOutOfMemory --suppress=autoVariables --suppress=normalCheckLevelMaxBranches --suppress=missingIncludeSystem -I. \
	'-DVW_VERSION="0"' '-DVW_PREFIX="/usr"' '-DVW_SYSCONFDIR="/etc"' '-DVW_LOCALSTATEDIR="/var"' '-DVW_LIBDIR="/usr/lib"' \
	"${code[@]}" || status=1
exit "$status"
