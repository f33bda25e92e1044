#!/bin/bash
# `make bench`: measures us and the real peers in one run, in turns, and prints one table: medians, ratios, memory.
# Use: bench.sh [start|proxy|changes|hub|round_trip|bridge|spark|site...] (all of them but spark unless some are named). Figures: build/bench/*.json.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
export FLAVOUR=release PYTHONDONTWRITEBYTECODE=1
umask 022
tests/support/install.sh bench || exit
make --no-print-directory -s -j"$(nproc)" FLAVOUR=$FLAVOUR all tests || exit
python=$(tests/support/cache.sh test)/bin/python || exit
E2E_PREFIX=$(tests/support/cache.sh e2e) || exit
export E2E_PREFIX
names=("$@")
if [[ ${#names[@]} -eq 0 ]]; then
	names=(start proxy changes hub round_trip bridge site)
	rm -rf build/bench
fi
mkdir -p build/bench build/test-logs/bench
failed=()
begun=$SECONDS

for name in "${names[@]}"; do
	echo "== $name (after $((SECONDS - begun)) s, load $(cut -d' ' -f1-3 /proc/loadavg))"
	run=("$python" "tests/bench/$name.py")
	[[ $name == site ]] && run=("$E2E_PREFIX/node" tests/bench/site.mjs)
	# A row that does not end is cut off with all that it started; the others still count.
	timeout --foreground -k 5 "${ROW_SECONDS:-400}" tests/support/netns.sh tests/support/alone.sh "${run[@]}" </dev/null ||
		failed+=("$name")
done
printf '\nmeasured in %d s\n' $((SECONDS - begun))
"$python" tests/bench/table.py build/bench
[[ ${#failed[@]} -eq 0 ]] || { echo "not measured: ${failed[*]}"; exit 1; }
