# SPDX-License-Identifier: LGPL-2.1-or-later
# Target fuzz: tests/fuzz/fuzz-X.c with libFuzzer, everything of lib/ instrumented, below $(B)/fuzz.
#   make fuzz                         each target for FUZZ_SECONDS (60)
#   make fuzz FUZZ=engine             that one only
#   make fuzz-coverage                lines of lib/ that the seeds, the inputs found before and
#                                     FUZZ_SECONDS of new ones reach; fails below 80 % of a file in run-coverage
FUZZ_SECONDS ?= 60
FUZZ_SAN = -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
FUZZERS = $(patsubst tests/fuzz/%.c,$(B)/%,$(wildcard tests/fuzz/fuzz-*.c))

$(B)/obj/tests/fuzz/%.o: EXTRA_CFLAGS = -DVW_SRCDIR='"$(CURDIR)"'
$(B)/obj/tests/fuzz/fuzz-facts.o: EXTRA_CFLAGS = -DVW_SRCDIR='"$(CURDIR)"' $(VIRT_CFLAGS)
$(B)/fuzz-%: $(B)/obj/tests/fuzz/fuzz-%.o $(ARCHIVES)
	$(call link,-fsanitize=fuzzer $<,virt/hostfacts lib/json lib/migrate lib/health lib/history lib/alert lib/diskprobe lib/osindex lib/conf lib/engine lib/xml, \
		$(JANSSON_LIBS) $(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS))

.PHONY: fuzzers fuzz-build fuzz-coverage
fuzzers: $(FUZZERS)
fuzz-build:
	$(MAKE) B=$(B)/fuzz CC=clang OPT='-O1 -g' SAN='-fsanitize=fuzzer-no-link $(FUZZ_SAN)' fuzzers
fuzz: fuzz-build
	tests/fuzz/run-fuzz $(FUZZ_SECONDS) $(FUZZ)
fuzz-coverage:
	$(MAKE) B=$(B)/fuzz-coverage CC=clang OPT='-O1 -g' \
		SAN='-fsanitize=fuzzer-no-link -fprofile-instr-generate -fcoverage-mapping' fuzzers
	tests/fuzz/run-coverage $(FUZZ_SECONDS) $(FUZZ)
