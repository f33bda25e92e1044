#!/bin/bash
# Has clang read every source with its own warnings as errors: two compilers see more than one.
# Use: syntax_clang.sh SOURCE... (make syntax-clang names them all). Flags are those of config.mk.
set -euo pipefail
read -ra flags <<<"$(make -s FLAVOUR=clang WERROR=1 print-CPPFLAGS print-CFLAGS | tr '\n' ' ')"
printf '%s\0' "$@" | xargs -0 -r -n 1 -P 2 clang "${flags[@]}" -fsyntax-only
echo "clang: $# files without a warning"
