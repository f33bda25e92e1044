#!/bin/bash
# Gives every fuzz target its corpus once. Use: replay_fuzz.sh FOLDER-OF-PROGRAMS TARGET...
# A target without a corpus fails: it would prove nothing. Last line: N passed, N failed (inputs).
set -uo pipefail
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
programs=$1
shift
passed=0 failed=0
out=$(mktemp)
trap 'rm -f "$out"' EXIT

for target in "$@"; do
	mapfile -t inputs < <(find "tests/fuzz/$target.corpus" -type f 2>/dev/null | sort)
	if [[ ${#inputs[@]} -eq 0 ]]; then
		echo "FAILED fuzz_$target: no input in tests/fuzz/$target.corpus"
		failed=$((failed + 1))
		continue
	fi
	if timeout --foreground -k 5 120 "$programs/fuzz_$target" "${inputs[@]}" >"$out" 2>&1 </dev/null; then
		echo "  FUZZ    $target: ${#inputs[@]}"
		passed=$((passed + ${#inputs[@]}))
		continue
	fi
	# One process each tells which inputs are to blame; a failure that needs them all counts once.
	bad=0
	for input in "${inputs[@]}"; do
		timeout --foreground -k 5 30 "$programs/fuzz_$target" "$input" >"$out" 2>&1 </dev/null && continue
		bad=$((bad + 1))
		echo "FAILED fuzz_$target $input"
		head -n 40 "$out"
	done
	[[ $bad -eq 0 ]] && bad=1 && echo "FAILED fuzz_$target: only with all its inputs in one process"
	passed=$((passed + ${#inputs[@]} - bad)) failed=$((failed + bad))
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
