#!/bin/bash
# The slow checks, by hand before a piece of work closes: deep.sh [STAGE...] (all unless some are named).
# FUZZ=600 seconds for each fuzz target; BASE=REV narrows clang-tidy, -fanalyzer and fuzzing to files changed
# since that commit. Reports: build/test-logs/deep/. Last line: N passed, N failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
logs=build/test-logs/deep
mkdir -p "$logs"
chosen=" $* "
passed=0 failed=0 table=()

stage() {
	local name=$1 start=$SECONDS word=ok
	shift
	[[ $chosen == "  " || $chosen == *" $name "* ]] || return 0
	printf '\n== %s\n' "$name"
	"$@" </dev/null 2>&1 | tee "$logs/$name.log"
	if [[ ${PIPESTATUS[0]} -eq 0 ]]; then
		passed=$((passed + 1))
	else
		failed=$((failed + 1)) word=FAILED
	fi
	table+=("$(printf '%-12s %5d s  %s' "$name" $((SECONDS - start)) "$word")")
}

# The sources that are built, all or those changed since BASE.
sources() {
	local all
	all=$(make -s print-ALL_SRC | tr ' ' '\n' | sort -u)
	if [[ -n ${BASE:-} ]]; then
		comm -12 <(echo "$all") <(git diff --name-only "$BASE" -- '*.c' | sort -u)
	else
		echo "$all"
	fi
}

flags() { make -s FLAVOUR="$1" print-CPPFLAGS print-CFLAGS | tr '\n' ' '; }

tidy() {
	local words
	read -ra words <<<"$(flags clang)"
	# xargs ends with 123 when any of them found something; the notes that explain a finding go to a file.
	sources | xargs -r -P "$(nproc)" -I{} clang-tidy --quiet {} -- "${words[@]}" >"$logs/tidy-notes.log" 2>/dev/null &&
		return 0
	grep -E ' (error|warning): ' "$logs/tidy-notes.log" | sort -u
	return 1
}

analyze() {
	local words
	read -ra words <<<"$(flags release)"
	# OpenSSL's and libuv's own ownership rules are unknown to it; what it says of our code is an error.
	sources | xargs -r -n 1 -P "$(nproc)" gcc "${words[@]}" -fanalyzer -Werror -c -o /dev/null
}

memcheck() {
	local programs
	make -s -j"$(nproc)" FLAVOUR=release tests || return 1
	read -ra programs <<<"$(make -s print-UNIT_TESTS | sed 's#[^ ][^ ]*#build/release/test/&#g')"
	WRAP="valgrind -q --leak-check=full --show-leak-kinds=definite,indirect --error-exitcode=99 --track-fds=no" \
		UNIT_SECONDS=900 tests/support/run_units.sh "${programs[@]}"
}

fuzzing() {
	local targets
	targets=$(make -s print-FUZZ_TARGETS)
	[[ -z $targets ]] || tests/support/fuzz_live.sh "$targets" "${FUZZ:-600}"
}

coverage() {
	make -s -j"$(nproc)" FLAVOUR=coverage all tests &&
		make -s FLAVOUR=coverage unit fuzz-replay &&
		FLAVOUR=coverage tests/support/run_integration.sh || return 1
	lcov -q -c -d build/coverage -o "$logs/coverage.info" --rc lcov_branch_coverage=1 &&
		lcov -q -r "$logs/coverage.info" '/usr/*' '*/tests/*' -o "$logs/coverage.info" --rc lcov_branch_coverage=1 &&
		genhtml -q --branch-coverage -o "$logs/coverage" "$logs/coverage.info" &&
		lcov --list "$logs/coverage.info" | tail -n 200
}

# New or changed tests twenty times over, with the machine busy.
repeat() {
	local files n burn status=0
	mapfile -t files < <(git diff --name-only --diff-filter=AM "${BASE:-HEAD~20}" -- 'tests/integration/*/test_*.py' ':!tests/integration/deep')
	[[ ${#files[@]} -eq 0 ]] && return 0
	sh -c 'while :; do :; done' &
	burn=$!
	for n in {1..20}; do
		echo "round $n"
		tests/support/run_integration.sh "${files[@]}" || { status=1; break; }
	done
	kill "$burn"
	return $status
}

# A whole site below a path of its own.
based() {
	make -s -j"$(nproc)" FLAVOUR=based BASE_PATH=/jupyter programs &&
		FLAVOUR=based BASE_PATH=/jupyter tests/support/run_integration.sh tests/integration/site/test_base_path.py
}

# A start whose progress is watched for ten minutes. `make test` leaves tests/integration/deep/ out.
long_stream() {
	make -s -j"$(nproc)" FLAVOUR=asan all tests &&
		tests/support/run_integration.sh tests/integration/deep/test_long_progress.py
}

# The class-data archive is made and used (five minutes), and each part of Spark is killed twenty times.
spark() {
	make -s -j"$(nproc)" FLAVOUR=release all tests &&
		FLAVOUR=release tests/support/run_integration.sh tests/integration/deep/test_spark_archive.py &&
		FLAVOUR=release KILLS=${KILLS:-20} FILE_SECONDS=7200 tests/support/run_integration.sh tests/integration/site/test_spark_kills.py
}

tests/support/install.sh deep || exit
stage tidy tidy
stage analyze analyze
stage valgrind memcheck
stage fuzz fuzzing
stage coverage coverage
stage repeat repeat
stage base-path based
stage long-stream long_stream
stage upgrade tests/support/upgrade_running.sh
stage spark spark
stage bench make -s bench
stage systemd tests/support/boot_systemd.sh
stage bare-root tests/support/bare_root.sh

printf '\n== %d min %02d s\n' $((SECONDS / 60)) $((SECONDS % 60))
printf '%s\n' "${table[@]}"
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
