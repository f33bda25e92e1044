#!/bin/bash
# Runs a command in namespaces of its own: network (loopback up), mounts, IPC, processes. What it leaves
# running ends with it. Use: netns.sh COMMAND... As an ordinary user a user namespace is made first, in
# which the caller keeps its own uid and the command has no rights beyond it. As root, cgroups and other uids
# are the real ones, as the sandbox engine needs them; only that the command sees the version 1 hierarchies
# that we use from a group of its own down, so that files tested side by side do not see each other's groups.
set -euo pipefail
export CYGNET_NETNS=1
common=(--net --mount --ipc --pid --fork --kill-child --mount-proc)
if [[ $(id -u) -ne 0 ]]; then
	exec unshare --user --map-current-user --keep-caps "${common[@]}" bash -c \
		'ip link set lo up && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' netns "$@"
fi

# What an earlier run left that was killed.
for stale in /sys/fs/cgroup/*/cygnet-test-*; do
	[[ ! -d $stale || -d /proc/${stale##*-} ]] || find "$stale" -depth -type d -exec rmdir {} + 2>/dev/null || true
done
group=cygnet-test-$$
groups=()
for controller in memory pids cpu cpuacct; do
	folder=/sys/fs/cgroup/$controller
	mountpoint -q "$folder" && mkdir "$folder/$group" 2>/dev/null && groups+=("$folder/$group")
done

# The groups can only be removed once the processes in them are gone, which takes the kernel a moment.
clean() {
	local group try
	for group in "${groups[@]}"; do
		for try in {1..50}; do
			find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
			[[ -d $group ]] || break
			sleep 0.1
		done
		[[ $try -lt 50 ]] || echo "netns.sh: $group could not be removed" >&2
	done
}
trap clean EXIT

# The namespaces die with unshare, and unshare with us: it does not listen to SIGTERM itself. What a shell starts
# in the background ignores SIGINT, which everything below would inherit: undone.
# shellcheck disable=SC2016  # the inner shell expands it
env --default-signal=INT,QUIT setpriv --pdeathsig KILL unshare "${common[@]}" bash -c '
	while [[ $1 != -- ]]; do
		mount --bind "$1" "${1%/*}"
		shift
	done
	shift
	ip link set lo up && exec "$@"' netns "${groups[@]}" -- "$@" &
child=$!
trap 'kill -KILL $child' TERM INT
wait $child
