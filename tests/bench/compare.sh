#!/bin/bash
# Measures this tree and an older commit in turns and prints one table, before and after, of medians over the runs.
# Use: compare.sh COMMIT [RUNS [PART...]] (5 runs of all parts unless said). The commit is built in a worktree of its own below
# build/, which goes again. A part that the commit did not have yet is measured there too, if our script still fits it.
# Figures of each run: build/bench-compare/{before,after}/RUN/PART.json. ROWS=1.05 fails if a row of ours is worse by more.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 2
commit=$(git rev-parse --verify "${1:?use: compare.sh COMMIT [RUNS [PART...]]}^{commit}") || exit
runs=${2:-5}
shift $(($# > 1 ? 2 : 1))
parts=("$@")
[[ ${#parts[@]} -gt 0 ]] || parts=(start proxy hub round_trip bridge site)
tests/support/install.sh bench || exit
# shellcheck disable=SC2034  # "after" and "before" are read by the name in side
after=$PWD before=$PWD/build/bench-before out=$PWD/build/bench-compare

leave() { git worktree remove --force "$before" 2>/dev/null; }
trap leave EXIT
leave
rm -rf "$out"
git worktree add --quiet --detach "$before" "$commit" || exit
make -s -j"$(nproc)" FLAVOUR=release all tests && make -s -C "$before" -j"$(nproc)" FLAVOUR=release all tests || exit
cp -n tests/bench/*.py "$before/tests/bench/"

for ((run = 1; run <= runs; run++)); do
	for part in "${parts[@]}"; do
		for side in before after; do
			echo "== run $run of $runs: $part, $side"
			mkdir -p "$out/$side/$run"
			(cd "${!side}" && tests/bench/bench.sh "$part") >"$out/$side/$run/$part.log" 2>&1 &&
				cp "${!side}/build/bench/$part.json" "$out/$side/$run/" || echo "not measured, see $out/$side/$run/$part.log"
		done
	done
done
/usr/bin/python3 tests/bench/compare.py "$out" "${ROWS:-}"
