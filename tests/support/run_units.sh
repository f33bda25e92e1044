#!/bin/bash
# Runs Check programs one after the other and adds up what they counted. Use: run_units.sh PROGRAM...
# Each runs in one process (CK_FORK=no), so that the sanitizers see the whole program and its leaks.
# WRAP="valgrind ..." puts a tool in front. Last line: N passed, N failed.
set -uo pipefail
export CK_FORK=no CK_VERBOSITY=${CK_VERBOSITY:-normal}
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
read -ra wrap <<<"${WRAP:-}"
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for program in "$@"; do
	timeout --foreground -k 5 "${UNIT_SECONDS:-120}" "${wrap[@]}" "$program" >"$out" 2>&1 </dev/null
	status=$?
	# Check's own line: "100%: Checks: 12, Failures: 0, Errors: 0", one for each runner in the program.
	read -r checks bad < <(sed -n 's/^[0-9]*%: Checks: \([0-9]*\), Failures: \([0-9]*\), Errors: \([0-9]*\)$/\1 \2 \3/p' \
		"$out" | awk '{ c += $1; b += $2 + $3 } END { print c + 0, b + 0 }')
	# A crash, a leak, a time-out, or a program that ran no test at all counts as one more failure.
	if [[ $status -ne 0 && $bad -eq 0 ]]; then
		bad=1
		checks=$((checks > 0 ? checks : 1))
		echo "  $(basename "$program"): ended with status $status though no check failed" >>"$out"
		[[ $status -le 128 ]] || echo "  (all tests share one process: one that expects a signal has to fork itself)" >>"$out"
	elif [[ $checks -eq 0 ]]; then
		bad=1 checks=1
		echo "  $(basename "$program"): ran no test" >>"$out"
	fi
	if [[ $bad -gt 0 ]]; then
		echo "FAILED $(basename "$program")"
		cat "$out"
	else
		echo "  UNIT    $(basename "$program"): $checks"
	fi
	passed=$((passed + checks - bad)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
