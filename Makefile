# Cygnet's one Makefile. Each folder's part.mk names its sources, programs, tests and fuzz targets;
# the rules that build them are here. `make help` lists what there is to call.
FLAVOUR ?= release
B       := build/$(FLAVOUR)
V       ?= 0
Q       := $(if $(filter 1,$(V)),,@)
.DEFAULT_GOAL := all
SHELL   := /bin/bash

PARTS := src/base src/daemon src/ipc src/http src/oidc src/store src/spark src/hub src/hub/base src/hub/access src/hub/offer src/hub/link src/hub/server src/hub/signin src/hub/api src/ctl src/web \
	proxy spawner/core spawner/local spawner/process spawner/sandbox spawner/init \
	kernels/base kernels/contents kernels/pages kernels/kernel kernels/terminal kernels/spark kernels/python kernels/agent \
	tests/unit tests/fuzz tests/fakes tests/bench

include config.mk

# ---- what the folders declare -------------------------------------------------------------------
# ARCHIVES += name            name_SRC := folder/x.c ...     (build/FLAVOUR/lib/libname.a)
# PROGRAMS += name            name_SRC, name_LIBS (archives, users before used), name_PKGS (pkg-config)
# UNIT_TESTS += test_x        the same three variables; a Check program that exits non-zero on failure
# FUZZ_TARGETS += x           fuzz_x_SRC, fuzz_x_LIBS, fuzz_x_PKGS; corpus in tests/fuzz/x.corpus/
# TEST_PROGRAMS += name       built for integration tests and benches, never installed
ARCHIVES :=
PROGRAMS :=
UNIT_TESTS :=
FUZZ_TARGETS :=
TEST_PROGRAMS :=
include $(wildcard $(addsuffix /part.mk,$(PARTS)))

# ---- rules --------------------------------------------------------------------------------------
pkg_cflags = $(if $(1),$(shell pkg-config --cflags $(filter-out wslay,$(1)) 2>/dev/null))
pkg_libs   = $(if $(1),$(shell pkg-config --libs $(filter-out wslay,$(1)) 2>/dev/null) $(if $(filter wslay,$(1)),-lwslay))
objects    = $(patsubst %.c,$(B)/obj/%.o,$(1))

$(B)/obj/%.o: %.c config.mk
	@mkdir -p $(@D)
	$(if $(filter 1,$(V)),,@echo "  CC      $<")
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

define archive_rule
$(B)/lib/lib$(1).a: $(call objects,$($(1)_SRC))
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && $(AR) rcs $$@ $$^
DEPS += $(patsubst %.o,%.d,$(call objects,$($(1)_SRC)))
ALL_SRC += $($(1)_SRC)
endef
define program_rule
$(2)/$(1): $(call objects,$($(1)_SRC)) $(patsubst %,$(B)/lib/lib%.a,$($(1)_LIBS))
	@mkdir -p $$(@D)
	$(if $(filter 1,$(V)),,@echo "  LD      $$@")
	$(Q)$(CC) $(LDFLAGS) $($(1)_LDFLAGS) -o $$@ $(call objects,$($(1)_SRC)) -Wl,--start-group $(patsubst %,$(B)/lib/lib%.a,$($(1)_LIBS)) -Wl,--end-group $(call pkg_libs,$($(1)_PKGS)) $($(1)_LDLIBS)
DEPS += $(patsubst %.o,%.d,$(call objects,$($(1)_SRC)))
ALL_SRC += $($(1)_SRC)
endef
FUZZ_PROGRAMS := $(addprefix fuzz_,$(FUZZ_TARGETS))
$(foreach a,$(ARCHIVES),$(eval $(call archive_rule,$(a))))
$(foreach p,$(PROGRAMS),$(eval $(call program_rule,$(p),$(B)/bin)))
$(foreach p,$(UNIT_TESTS) $(TEST_PROGRAMS),$(eval $(call program_rule,$(p),$(B)/test)))
$(foreach p,$(FUZZ_PROGRAMS),$(eval $(p)_SRC += $(FUZZ_MAIN)))
$(foreach p,$(FUZZ_PROGRAMS),$(eval $(call program_rule,$(p),$(B)/fuzz)))
-include $(DEPS)

.PHONY: all programs tests check unit fuzz-replay fuzz lint format format-check syntax-clang test run install deep bench clean help
all: programs
programs: $(addprefix $(B)/bin/,$(PROGRAMS))
tests: $(addprefix $(B)/test/,$(UNIT_TESTS) $(TEST_PROGRAMS)) $(addprefix $(B)/fuzz/,$(FUZZ_PROGRAMS))

unit: $(addprefix $(B)/test/,$(UNIT_TESTS))
	@tests/support/run_units.sh $^

fuzz-replay: $(addprefix $(B)/fuzz/,$(FUZZ_PROGRAMS))
	@tests/support/replay_fuzz.sh $(B)/fuzz $(FUZZ_TARGETS)

fuzz: ## live fuzzing of one target: make fuzz T=http1_head SECONDS=60
	@tests/support/fuzz_live.sh "$(T)" "$(or $(SECONDS),60)"

check: lint unit fuzz-replay ## units and fuzz replay, no installs, under two minutes

lint: format-check
	@tests/lint/all.sh

format:
	@git ls-files '*.c' '*.h' | xargs -r clang-format -i
format-check:
	@git ls-files '*.c' '*.h' | xargs -r clang-format --dry-run -Werror

syntax-clang:
	@tests/support/syntax_clang.sh $(sort $(ALL_SRC))

test: ## everything that gates: installs what is needed, passes every test
	@tests/support/test.sh

run: ## installs what is needed, builds, serves the hub on localhost, prints the address
	@tests/support/run.sh

install: all ## programs, web, samples, documents, systemd units below DESTDIR and PREFIX (/usr/local)
	@config/systemd/install.sh "$(B)/bin" "$(DESTDIR)" "$(or $(PREFIX),/usr/local)"

deep: ## the slow checks: clang-tidy, -fanalyzer, valgrind, live fuzzing, bench, bare-root proof
	@tests/support/deep.sh

bench: ## measures us and the real peers side by side; make bench BASE=COMMIT: that commit and us, in turns
	@$(if $(BASE),tests/bench/compare.sh $(BASE),tests/bench/bench.sh)

clean:
	rm -rf build

print-%: ## what a variable holds, for our scripts: make -s print-FUZZ_TARGETS
	@echo $($*)

help:
	@grep -hE '^[a-z%-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12
	@echo "Variables: FLAVOUR=release|asan|clang|coverage, V=1 for whole command lines, BASE_PATH=/below/what, PORT, STATE, RUN, CACHE for make run"
