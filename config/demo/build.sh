#!/bin/bash
# Builds the demo site's software tree, shaped as a site's CVMFS repository is, and prints its folder:
#   stacks/NAME/{setup.sh,stack.yaml,view,share/jupyter/kernels}   two stacks with different packages
#   spark/clusters.yaml                                           the Spark clusters on offer
# "view" leads to a Python prefix of pinned packages; R comes from the system. Use: build.sh
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache_sh=$here/../../tests/support/cache.sh
umask 022

new=$("$cache_sh" spark)
old=$("$cache_sh" stack2025)
root=$(dirname "$new")
key=$({ cat "${BASH_SOURCE[0]}" "$here"/tree/* ; echo "$new $old"
	cat "$new/share/cygnet/spark-options.json" 2>/dev/null || true; } | sha256sum | cut -c1-12)
tree=$root/demo-$key
[[ -e $tree/.ready ]] && { echo "$tree"; exit 0; }

part=$(mktemp -d "$root/demo-part.XXXXXX")
chmod 755 "$part"

# kernelspec FOLDER NAME JSON
kernelspec() {
	mkdir -p "$part/$1/share/jupyter/kernels/$2"
	printf '%s\n' "$3" >"$part/$1/share/jupyter/kernels/$2/kernel.json"
}

# stack NAME PREFIX
stack() {
	local folder=stacks/$1 kernels
	kernels=$2/share/jupyter/kernels/python3
	mkdir -p "$part/$folder"
	ln -s "$2" "$part/$folder/view"
	cp "$here/tree/$1.setup.sh" "$part/$folder/setup.sh"
	cp "$here/tree/$1.stack.yaml" "$part/$folder/stack.yaml"
	kernelspec "$folder" python3 "{\"argv\": [\"$2/bin/python\", \"-m\", \"ipykernel_launcher\", \"-f\", \"{connection_file}\"],
 \"display_name\": \"Python 3 ($1)\", \"language\": \"python\", \"metadata\": {\"debugger\": true}, \"interrupt_mode\": \"signal\"}"
	cp "$kernels"/logo-* "$part/$folder/share/jupyter/kernels/python3/"
	mkdir -p "$part/$folder/share/cygnet"
	cp "$2/share/cygnet/spark-options.json" "$part/$folder/share/cygnet/" 2>/dev/null || true
}

stack 2026a "$new"
stack 2025b "$old"
kernelspec stacks/2026a ir '{"argv": ["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"],
 "display_name": "R", "language": "R"}'
cp /usr/lib/R/site-library/IRkernel/kernelspec/logo-* "$part/stacks/2026a/share/jupyter/kernels/ir/" 2>/dev/null || true
mkdir -p "$part/spark"
cp "$here/tree/clusters.yaml" "$part/spark/clusters.yaml"
touch "$part/.ready"
mv -T "$part" "$tree" 2>/dev/null || { rm -rf "$part"; [[ -e $tree/.ready ]]; }
echo "$tree"
