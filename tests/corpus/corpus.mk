# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs of the corpus tests: each handles all files in one process.
CORPUS = $(patsubst tests/corpus/%.c,$(B)/corpus/%,$(wildcard tests/corpus/*.c))
$(B)/obj/tests/corpus/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS)
$(B)/corpus/%: $(B)/obj/tests/corpus/%.o $(OSINDEX) $(ENGINE) $(BASE)
	@mkdir -p $(@D)
	$(call step,LINK,$@)$(CC) $(ALL_LDFLAGS) -o $@ $< $(OSINDEX) $(ENGINE) $(BASE) $(VIRT_LIBS) $(XML_LIBS)
unit: $(CORPUS)
