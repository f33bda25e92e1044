#!/bin/bash
# The proof that running servers are kept over an upgrade: builds an older commit in a worktree of its own, then has
# tests/integration/deep/test_upgrade_running.py start it, run a server, and put this tree's programs in its place.
# Use: upgrade_running.sh [COMMIT]. OLD_TREE=FOLDER names a tree that is built already (build/release). Needs root.
# Last line: N passed, N failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
# The last commit before users got ids: schema 2 of the database, version 1 of a server's record, uids by name.
commit=${1:-d99c011dd68f52b1a21011bacf4602c9993d0a7e}
[[ $(id -u) -eq 0 ]] || { echo "only root has the sandbox's uids" >&2; exit 3; }

if [[ -z ${OLD_TREE:-} ]]; then
	OLD_TREE=$(mktemp -d "${BARE:-/var/tmp}/cygnet-upgrade.XXXXXX")
	trap 'git worktree remove --force "$OLD_TREE"' EXIT
	git worktree add -q --detach "$OLD_TREE" "$commit"
	make -s -C "$OLD_TREE" -j"$(nproc)" FLAVOUR=release programs
fi
export OLD_TREE FLAVOUR=${FLAVOUR:-asan}
make -s -j"$(nproc)" FLAVOUR="$FLAVOUR" programs
tests/support/run_integration.sh tests/integration/deep/test_upgrade_running.py
