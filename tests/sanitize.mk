# SPDX-License-Identifier: LGPL-2.1-or-later
# Targets asan and valgrind. The instrumented build lies below $(B), so `make clean` takes it along.
ASAN_FLAGS = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

.PHONY: asan-build
asan-build:
	$(MAKE) B=$(B)/asan OPT='-O1 -g' SAN='$(ASAN_FLAGS)' all unit
asan: asan-build
	tests/lint/test-lint-asan.sh
valgrind: unit
	tests/lint/test-lint-valgrind.sh
