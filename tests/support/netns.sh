#!/bin/bash
# Runs a command in namespaces of its own: network (loopback up), mounts, IPC, processes. What it leaves
# running ends with it. Use: netns.sh COMMAND... As an ordinary user a user namespace is made first, in
# which the caller keeps its own uid and the command has no rights beyond it.
set -euo pipefail
export CYGNET_NETNS=1
common=(--net --mount --ipc --pid --fork --kill-child --mount-proc)
if [[ $(id -u) -eq 0 ]]; then
	# Without a user namespace, cgroups and other uids are the real ones, as the sandbox engine needs them.
	exec unshare "${common[@]}" bash -c 'ip link set lo up && exec "$@"' netns "$@"
fi
exec unshare --user --map-current-user --keep-caps "${common[@]}" bash -c \
	'ip link set lo up && exec setpriv --ambient-caps=-all --inh-caps=-all "$@"' netns "$@"
