#!/bin/bash
# Everything that gates, in timed stages: test.sh [STAGE...] (all of them unless some are named).
# A stage that fails does not stop the later ones, unless they need what it builds. Each stage's output is in
# build/test-logs/STAGE.log. The last line is "N passed, N failed" over all stages; a stage that counts nothing
# itself is one of the N. After MINUTES (60) the stage that is running is named, ended, and the rest not run.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
exec </dev/null
# Our own calls of make start afresh: make -C would have them print folders among what is counted.
unset MAKEFLAGS MFLAGS MAKELEVEL
umask 022
logs=build/test-logs
mkdir -p "$logs"
rm -f "$logs"/*.log
deadline=$((SECONDS + ${MINUTES:-60} * 60))
cache=${CACHE:-$([[ $(id -u) -eq 0 ]] && echo /var/cache/cygnet || echo "${XDG_CACHE_HOME:-$HOME/.cache}/cygnet")}
export CCACHE_DIR=${CCACHE_DIR:-$cache/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-2G}
chosen=" $* "
table=() passed=0 failed=0 broken=" "

# stage NAME "STAGES IT NEEDS" COMMAND...
stage() {
	local name=$1 needs=$2 need start good bad status word=ok
	shift 2
	[[ $chosen == "  " || $chosen == *" $name "* ]] || return 0
	for need in $needs deadline; do
		if [[ $broken == *" $need "* ]]; then
			table+=("$(printf '%-12s %6s  %s' "$name" - "not run: $need")")
			failed=$((failed + 1))
			return 0
		fi
	done
	printf '\n== %s\n' "$name"
	start=$SECONDS
	# Killed at once: a namespace dies with the unshare that holds it, which does not listen to SIGTERM.
	timeout -s KILL $((deadline > SECONDS ? deadline - SECONDS : 1)) "$@" 2>&1 | tee "$logs/$name.log"
	status=${PIPESTATUS[0]}
	read -r good bad < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$logs/$name.log" | tail -n 1)
	# What counts nothing itself is one test; a bad end without a failure counted is one failure.
	[[ -n ${good:-} ]] || { good=$((status == 0)) bad=$((status != 0)); }
	[[ $status -ne 0 && $bad -eq 0 ]] && bad=1
	passed=$((passed + good)) failed=$((failed + bad))
	if [[ $bad -gt 0 ]]; then
		word=FAILED
		broken+="$name "
	fi
	if [[ $status -eq 124 || $status -eq 137 ]] && ((SECONDS >= deadline)); then
		echo "watchdog: ${MINUTES:-60} minutes are over in stage '$name'; it was ended and the rest is not run"
		word="FAILED (watchdog)" broken+="deadline "
	fi
	table+=("$(printf '%-12s %4d s  %s: %d passed, %d failed' "$name" $((SECONDS - start)) "$word" "$good" "$bad")")
}

build() { make -j"$(nproc)" FLAVOUR="$1" WERROR=1 all tests; }
unit() { make -s FLAVOUR=asan WERROR=1 unit; }
fuzz() { make -s FLAVOUR=asan WERROR=1 fuzz-replay; }
jvm() {
	local files journeys status=0 good=0 bad=0 a b out
	mapfile -t files < <(find tests/integration -name 'test_*spark*.py' ! -path '*/deep/*' | sort)
	mapfile -t journeys < <(find tests/e2e -maxdepth 1 -name '*spark*.test.mjs' | sort)
	out=$(mktemp)
	[[ ${#files[@]} -eq 0 ]] || FLAVOUR=release JOBS=1 tests/support/run_integration.sh "${files[@]}" | tee -a "$out"
	[[ ${#journeys[@]} -eq 0 ]] || tests/support/run_e2e.sh "${journeys[@]}" | tee -a "$out"
	while read -r a b; do
		good=$((good + a)) bad=$((bad + b))
	done < <(sed -n 's/^\([0-9]*\) passed, \([0-9]*\) failed$/\1 \2/p' "$out")
	rm -f "$out"
	echo "$good passed, $bad failed"
	return $((bad > 0))
}
export -f build unit fuzz jvm

stage install "" tests/support/install.sh test
stage format install make -s format-check
stage lint install tests/lint/all.sh
stage build install bash -c 'build release'
stage clang install make -s syntax-clang
stage asan "install" bash -c 'build asan'
stage unit "asan" bash -c unit
stage node install tests/support/run_node.sh
stage fuzz "asan" bash -c fuzz
stage integration "asan" tests/support/run_integration.sh
stage e2e "build" tests/support/run_e2e.sh
stage jvm "build" bash -c jvm

printf '\n== %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
printf '%s\n' "${table[@]}"
echo "$passed passed, $failed failed" | tee "$logs/result"
[[ $failed -eq 0 && $passed -gt 0 ]]
