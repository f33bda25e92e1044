#!/bin/bash
# Fuzzes with libFuzzer for a while. Use: fuzz_live.sh TARGET|"" SECONDS ("" takes every target in turn).
# What was learnt stays in build/fuzz-corpus/TARGET; inputs that fail are written to build/fuzz-findings/.
set -euo pipefail
seconds=${2:-60}
read -ra targets <<<"${1:-$(make -s FLAVOUR=fuzz print-FUZZ_TARGETS)}"
[[ -e $(clang -print-file-name=libclang_rt.fuzzer-x86_64.a) ]] ||
	{ echo "libFuzzer is missing: tests/support/install.sh deep" >&2; exit 3; }
passed=0 failed=0
mkdir -p build/fuzz-findings
for target in "${targets[@]}"; do
	make -s -j2 FLAVOUR=fuzz "build/fuzz/fuzz/fuzz_$target"
	mkdir -p "build/fuzz-corpus/$target"
	if "build/fuzz/fuzz/fuzz_$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
		-artifact_prefix="build/fuzz-findings/$target-" "build/fuzz-corpus/$target" \
		"tests/fuzz/$target.corpus" >"build/fuzz-findings/$target.log" 2>&1 </dev/null; then
		passed=$((passed + 1))
		echo "  FUZZ    $target: $(sed -n 's/^stat::number_of_executed_units: *//p' "build/fuzz-findings/$target.log") runs"
	else
		failed=$((failed + 1))
		echo "FAILED fuzz_$target (build/fuzz-findings/$target.log)"
		grep -m 3 -E 'ERROR|SUMMARY|Test unit written' "build/fuzz-findings/$target.log" || true
	fi
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
