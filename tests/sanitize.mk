# SPDX-License-Identifier: LGPL-2.1-or-later
# Targets asan and valgrind. The instrumented build lies below $(B), so `make clean` takes it along.
ASAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: asan-build
asan-build:
	$(MAKE) B=$(B)/asan OPT='-O1 -g' SAN='$(ASAN_FLAGS)' all unit
asan: asan-build all
	tests/lint/test-lint-asan.sh
	VW_SANITIZED=yes AGENT=$(abspath $(B))/asan/virt-wardend EVENTS=800 DOMAINS=10 REST=1 tests/virsh/test-agent-long-events.sh
valgrind: unit all
	tests/lint/test-lint-valgrind.sh
	VW_VALGRIND=yes EVENTS=400 DOMAINS=8 REST=1 tests/virsh/test-agent-long-events.sh
