# SPDX-License-Identifier: LGPL-2.1-or-later
# Sourced by the lint tests: the sources, and how a violation is told.
# shellcheck shell=bash

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
VW_BUILD=$(realpath -m "${VW_BUILD:-$top/build}")
export VW_BUILD
cd "$top" || exit 1
status=0

bad() { # bad TEXT…: a violation; the test goes on
	printf '%s\n' "$*"
	# shellcheck disable=SC2034  # the test exits with it
	status=1
}

# The folders of what is installed.
# shellcheck disable=SC2034  # for who sources this
code=(lib virt plugin agent messenger osinfo hooks)

# sources FOLDER…: the C files in or below them, without what was built
sources() {
	local folder
	for folder in "$@"; do
		[ ! -d "$folder" ] || find "$folder" -name '*.[ch]'
	done | sort
}

# code FILE: its text without comments
code() {
	gcc -fpreprocessed -dD -E -P "$1" 2>/dev/null
}

# The flags that the sources need to be read by a checker, one a line.
flags() {
	printf '%s\n' -std=c11 -D_GNU_SOURCE -I. '-DVW_VERSION="0"' '-DVW_PREFIX="/usr"' '-DVW_SYSCONFDIR="/etc"' \
		'-DVW_LOCALSTATEDIR="/var"' '-DVW_LIBDIR="/usr/lib"' '-DVW_SRCDIR="."'
	pkg-config --cflags libxml-2.0 libvirt jansson libosinfo-1.0 cmocka libudev | tr ' ' '\n' | grep .
}
