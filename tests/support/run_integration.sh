#!/bin/bash
# Runs integration test files, each in its own namespaces, two at a time. Use: run_integration.sh [FILE...]
# FLAVOUR says whose programs are tested (asan unless set); a file whose name has "spark" is left to the
# JVM stage and one in deep/ to `make deep`, unless named. Logs: build/test-logs/integration/.
# Last line: N passed, N failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export FLAVOUR=${FLAVOUR:-asan} PYTHONDONTWRITEBYTECODE=1
python=$(tests/support/cache.sh test)/bin/python || exit 2
export PYTHON=$python LOGS=build/test-logs/integration
mkdir -p "$LOGS"
files=("$@")
[[ ${#files[@]} -eq 0 ]] && mapfile -t files < <(find tests/integration -name 'test_*.py' ! -name '*spark*' ! -path '*/deep/*' | sort)

one() {
	local name log
	name=$(basename "$1" .py)
	log=$LOGS/$name.log
	if tests/support/netns.sh "$PYTHON" -m pytest -q "$1" --junit-xml="$LOGS/$name.xml" >"$log" 2>&1 </dev/null; then
		echo "  PYTEST  $name: $(tail -n 1 "$log")"
	else
		# Exit 5 is pytest's "no tests ran": a test file that holds none is a failure here.
		echo "FAILED $1"
		tail -n "${TAIL:-120}" "$log"
	fi
}
export -f one
rm -f "$LOGS"/*.xml
# shellcheck disable=SC2016  # the inner bash expands it
[[ ${#files[@]} -eq 0 ]] || printf '%s\0' "${files[@]}" | xargs -0 -n 1 -P "${JOBS:-2}" bash -c 'one "$1"' _
"$python" tests/support/sum_junit.py "$LOGS" "${files[@]}"
