#!/bin/bash
# Runs a command inside its own process namespace (netns.sh) and fails when anything is left running after
# it, five seconds given. Use: netns.sh alone.sh COMMAND...
set -uo pipefail
"$@"
status=$?

# Everything but the namespace's first process and this shell; no child of ours runs meanwhile.
others() {
	local stat pid state
	left=()
	for stat in /proc/[0-9]*/stat; do
		{ read -r -d '' stat <"$stat"; } 2>/dev/null
		pid=${stat%% *} state=${stat##*) }
		[[ $stat == /proc/* || $pid == 1 || $pid == "$$" || $state == Z* ]] || left+=("$pid")
	done
}

for _ in {1..50}; do
	others
	[[ ${#left[@]} -eq 0 ]] && exit "$status"
	sleep 0.1
done
echo "left running after $1:" >&2
ps -o pid,ppid,stat,args -p "${left[@]}" >&2
exit 1
