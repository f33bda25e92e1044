# Compilers and flags of each flavour. Warnings are errors only with WERROR=1 (`make test` sets it).
CCACHE  := $(shell command -v ccache 2>/dev/null)
ifeq ($(origin CC),default)
CC      := $(if $(filter clang,$(FLAVOUR)),clang,gcc)
endif
IS_CLANG := $(findstring clang,$(CC))
override CC := $(CCACHE) $(CC)

WARN_COMMON := -Wall -Wextra -Wpedantic -Wshadow -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes \
	-Wmissing-declarations -Wold-style-definition -Wredundant-decls -Wnested-externs -Wpointer-arith \
	-Wcast-qual -Wcast-align -Wwrite-strings -Wundef -Wvla -Wimplicit-fallthrough -Wswitch-enum \
	-Wconversion -Wdouble-promotion -Wnull-dereference -Wunused-macros -Wdate-time -Wfloat-equal \
	-Wno-unused-parameter
WARN_GCC := -Wlogical-op -Wduplicated-cond -Wduplicated-branches -Wjump-misses-init -Wtrampolines -Walloca \
	-Walloc-zero -Warith-conversion -Wformat-signedness -Wformat-overflow=2 -Wformat-truncation=1 \
	-Wstringop-overflow=4 -Wbidi-chars=any
WARN_CLANG := -Wcomma -Wconditional-uninitialized -Wassign-enum -Wextra-semi-stmt -Wshorten-64-to-32 \
	-Wcast-function-type -Wloop-analysis -Wunreachable-code-aggressive -Wmissing-variable-declarations
WARN := $(WARN_COMMON) $(if $(IS_CLANG),$(WARN_CLANG),$(WARN_GCC)) $(if $(filter 1,$(WERROR)),-Werror)

HARDEN := -fstack-protector-strong -fstack-clash-protection -fcf-protection=full -fPIE \
	-fno-strict-overflow $(if $(IS_CLANG),,-ftrivial-auto-var-init=zero)
CPPFLAGS := -Iinclude -Isrc -I. -D_GNU_SOURCE
# BASE_PATH=/jupyter: everything is below that path (include/cygnet/paths.h); in a flavour of its own.
CPPFLAGS += $(if $(BASE_PATH),'-DCYG_BASE_PATH="$(BASE_PATH)"')
LDFLAGS  := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed

# What the release build sets to zero is set to nonsense for the tests: they must not pass by luck.
PATTERN  := -ftrivial-auto-var-init=pattern
ifeq ($(FLAVOUR),asan)
CFLAGS   := -std=gnu17 $(WARN) -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=all -U_FORTIFY_SOURCE -fPIE $(PATTERN)
LDFLAGS  += -fsanitize=address,undefined
else ifeq ($(FLAVOUR),coverage)
CFLAGS   := -std=gnu17 $(WARN) -O0 -g --coverage -fPIE $(PATTERN)
LDFLAGS  += --coverage
else ifeq ($(FLAVOUR),fuzz)
override CC := $(CCACHE) clang
CFLAGS   := -std=gnu17 -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fPIE
LDFLAGS  += -fsanitize=fuzzer,address,undefined
else
CFLAGS   := -std=gnu17 $(WARN) -O2 -g $(HARDEN) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=$(if $(IS_CLANG),2,3)
endif
# With libFuzzer its own main drives the targets; otherwise ours replays files named on the command line.
FUZZ_MAIN := $(if $(filter fuzz,$(FLAVOUR)),,tests/fuzz/replay_main.c)
