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
# The reader of facts belongs to the command; it needs JSON, and nothing else of it.
$(B)/fuzz-facts: FUZZ_MORE = $(B)/obj/plugin/host-load.o $(JANSSON_LIBS)
$(B)/fuzz-facts: $(B)/obj/plugin/host-load.o
$(B)/obj/tests/fuzz/fuzz-facts.o: EXTRA_CFLAGS = -DVW_SRCDIR='"$(CURDIR)"' -Iplugin $(VIRT_CFLAGS)
$(B)/fuzz-%: $(B)/obj/tests/fuzz/fuzz-%.o $(ARCHIVES)
	$(call step,LINK,$@)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $< $(FUZZ_MORE) $(MIGRATE) $(VERIFY) $(HISTORY) $(ALERT) $(PROBE) $(OSINDEX) $(CONF) $(ENGINE) $(BASE) \
		$(XML_LIBS) $(INIH_LIBS) $(UDEV_LIBS)

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
