# SPDX-License-Identifier: LGPL-2.1-or-later
# Programs of the corpus tests: each handles all files in one process.
CORPUS = $(patsubst tests/corpus/%.c,$(B)/corpus/%,$(wildcard tests/corpus/*.c))
$(B)/obj/tests/corpus/%.o: EXTRA_CFLAGS = $(VIRT_CFLAGS)
$(B)/corpus/%: $(B)/obj/tests/corpus/%.o $(ARCHIVES)
	@mkdir -p $(@D)
	$(call link,$<,lib/osindex lib/engine lib/xml,$(VIRT_LIBS) $(XML_LIBS))
unit: $(CORPUS)
