#!/bin/bash
# Every header compiles alone, and twice: it includes what it uses and guards itself.
set -uo pipefail
read -ra flags <<<"$(make -s WERROR=1 print-CPPFLAGS print-CFLAGS | tr '\n' ' ')"
compile() {
	header=$1
	shift
	printf '#include "%s"\n#include "%s"\nextern int unit;\n' "$header" "$header" |
		gcc "$@" -Wno-unused-macros -fsyntax-only -x c - 2>&1 | sed "s|^|$header: |"
	return "${PIPESTATUS[1]}"
}
export -f compile
git ls-files -co --exclude-standard '*.h' | sort -u | while read -r header; do
	[[ -f $header ]] && printf '%s\0' "$header"
done | xargs -0 -r -P 2 -I{} bash -c 'compile "$@"' _ {} "${flags[@]}"
