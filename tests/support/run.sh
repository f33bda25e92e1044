#!/bin/bash
# `make run`: installs what is needed, builds, and serves the demo site on localhost until interrupted.
# PORT (8000; 0: a free one), STATE, RUN, CACHE name the port and the folders. Writes build/run/ready.json.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
umask 022
top=$PWD
say() { echo "run: $*" >&2; }

# What a run left that was killed: a script that waits for the file must not take it for ours.
old=$(sed -n 's/.*"pid": \([0-9]*\).*/\1/p' build/run/ready.json 2>/dev/null) || true
[[ -n $old && -d /proc/$old ]] || rm -f build/run/ready.json

say "checking what is installed"
tests/support/install.sh run
say "building"
make --no-print-directory -s -j"$(nproc)" FLAVOUR="${FLAVOUR:-release}" all

root=$([[ $(id -u) -eq 0 ]] && echo yes || echo no)
state=${STATE:-$([[ $root == yes ]] && echo /var/lib/cygnet || echo "${XDG_STATE_HOME:-$HOME/.local/state}/cygnet")}
cache=${CACHE:-$([[ $root == yes ]] && echo /var/cache/cygnet || echo "${XDG_CACHE_HOME:-$HOME/.cache}/cygnet")}
export CACHE=$cache

# The checkout may lie where other uids cannot walk (root's home): configuration goes below the state folder,
# binaries of containers are copied to the cache by the spawner.
mkdir -p "$state" build/run
say "preparing the demo site"
config/demo/render.sh "$state/config"
say "accounts and homes are in $state, software and container binaries in $cache"
bin=$top/build/${FLAVOUR:-release}/bin
web=$state/web
rm -rf "$web.part" && mkdir -p "$web.part" && cp -R src/web/. "$web.part/" && rm -rf "$web" && mv "$web.part" "$web"
programs=$cache/programs-$(cat "$bin"/cygnet* | sha256sum | cut -c1-12)
if [[ ! -d $programs ]]; then
	part=$(mktemp -d "$cache/programs-part.XXXXXX")
	cp "$bin"/cygnet* "$part/" && chmod 755 "$part" "$part"/*
	mv -T "$part" "$programs" 2>/dev/null || rm -rf "$part"
fi
exec "$programs/cygnetctl" up --port "${PORT:-8000}" --state-dir "$state" --cache-dir "$cache" \
	${RUN:+--run-dir "$RUN"} --bin-dir "$programs" --web-dir "$web" --config-dir "$state/config" \
	--ready-file "$top/build/run/ready.json"
