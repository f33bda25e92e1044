#!/bin/bash
# Writes the demo site's configuration with this machine's paths into a folder. Use: render.sh FOLDER [TEMPLATE]
# TEMPLATE: what the profiles run, lab (Cygnet's own server) or stock (stock JupyterLab).
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache_sh=$here/../../tests/support/cache.sh
out=${1:?use: render.sh FOLDER [TEMPLATE]}
template=${2:-lab}
umask 022

jupyter=$("$cache_sh" jupyter)
new=$("$cache_sh" spark)
old=$("$cache_sh" stack2025)
tree=$("$here/build.sh")
# Where packages cannot be had everything else works; a folder that is not there is left out of the container.
labextensions=$("$cache_sh" labextension) || {
	echo "render: JupyterLab's Spark panel is missing: it could not be built (npm packages, see above)" >&2
	labextensions=$tree/labextensions
}
mkdir -p "$out"
for file in "$here"/*.yaml; do
	sed -e "s|@TREE@|$tree|g; s|@JUPYTER@|$jupyter|g; s|@LABEXTENSIONS@|$labextensions|g; s|@NEW@|$new|g; s|@OLD@|$old|g; s|^\( *template:\) lab$|\1 $template|" \
		"$file" >"$out/.part"
	mv "$out/.part" "$out/$(basename "$file")"
done
