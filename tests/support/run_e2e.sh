#!/bin/bash
# Runs browser journeys, each file in its own namespaces, one after the other. Use: run_e2e.sh [FILE...]
# FLAVOUR says whose programs are used (release unless set); a file whose name has "spark" is left to the
# JVM stage unless named. Logs: build/test-logs/e2e/, pictures: build/screenshots/. Last line: N passed, N failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export FLAVOUR=${FLAVOUR:-release}
E2E_PREFIX=$(tests/support/cache.sh e2e) || exit 2
export E2E_PREFIX
logs=build/test-logs/e2e
mkdir -p "$logs" build/screenshots
files=("$@")
[[ ${#files[@]} -eq 0 ]] && mapfile -t files < <(find tests/e2e -maxdepth 1 -name '*.test.mjs' ! -name '*spark*' | sort)
passed=0 failed=0

for file in "${files[@]}"; do
	log=$logs/$(basename "$file" .test.mjs).tap
	# In the foreground: a time-out of ours must not leave the process group that the watchdog ends.
	timeout --foreground -k 10 "${FILE_SECONDS:-1200}" tests/support/netns.sh tests/support/alone.sh \
		"$E2E_PREFIX/node" --test-reporter=tap "$file" >"$log" 2>&1 </dev/null
	status=$?
	count() { sed -n "s/^# $1 //p" "$log" | tail -n 1 | grep . || echo 0; }
	good=$(count pass) bad=$(($(count fail) + $(count cancelled)))
	# No tests, or a good count from a process that ended badly (something left running): one failure.
	[[ $((good + bad)) -eq 0 || ($status -ne 0 && $bad -eq 0) ]] && bad=1
	passed=$((passed + good)) failed=$((failed + bad))
	if [[ $bad -eq 0 ]]; then
		echo "  E2E     $(basename "$file"): $good ($(count duration_ms) ms)"
	else
		echo "FAILED $file (status $status)"
		tail -n "${TAIL:-100}" "$log"
	fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
