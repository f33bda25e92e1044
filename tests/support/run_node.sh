#!/bin/bash
# Runs the unit tests that are JavaScript, by node's own runner: run_node.sh [FILE...]. TypeScript is read as it stands;
# its types are checked when the extension is built, which happens here when it has not yet. Last line: N passed, N failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
tools=$(tests/support/cache.sh labextension-tools) && tests/support/cache.sh labextension >/dev/null || exit 2
files=("$@")
[[ ${#files[@]} -gt 0 ]] || mapfile -t files < <(find tests/unit -name '*.test.mjs' | sort)
out=$(mktemp)
"$tools/node" --disable-warning=MODULE_TYPELESS_PACKAGE_JSON --test --test-reporter=tap "${files[@]}" >"$out" 2>&1 </dev/null
status=$?
count() { sed -n "s/^# $1 //p" "$out" | tail -n 1 | grep . || echo 0; }
good=$(count pass) bad=$(($(count fail) + $(count cancelled)))
[[ $((good + bad)) -eq 0 || ($status -ne 0 && $bad -eq 0) ]] && bad=1
[[ $bad -eq 0 ]] || tail -n "${TAIL:-200}" "$out"
rm -f "$out"
echo "$good passed, $bad failed"
[[ $bad -eq 0 ]]
