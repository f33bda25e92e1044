#!/bin/bash
# Runs every lint of this folder; each is quiet when it has nothing to say and exits non-zero otherwise.
# Last line: N passed, N failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export PYTHONDONTWRITEBYTECODE=1
passed=0 failed=0
for lint in tests/lint/lint_*; do
	if found=$("$lint" 2>&1); then
		passed=$((passed + 1))
		echo "  LINT    ${lint#tests/lint/lint_}"
	else
		failed=$((failed + 1))
		printf 'FAILED %s\n%s\n' "$lint" "$found"
	fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
