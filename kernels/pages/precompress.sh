#!/bin/bash
# Compresses the front ends' static files once, at install time, for the agent to send.
# Use: precompress.sh PREFIX [OUT]. PREFIX holds share/jupyter/lab; OUT is PREFIX/share/jupyter/cygnet-gzip
# unless given. Files that are up to date stay; files under 1 KiB and formats that are compressed already are
# left out.
set -euo pipefail
prefix=${1:?use: precompress.sh PREFIX [OUT]}
out=${2:-$prefix/share/jupyter/cygnet-gzip}
[[ -d $prefix/share/jupyter/lab/static ]] || { echo "precompress: no JupyterLab in $prefix" >&2; exit 1; }

zone() {
	local name=$1 from=$2 file to
	[[ -d $from ]] || return 0
	find -L "$from" -type f -size +1k \( -name '*.js' -o -name '*.css' -o -name '*.json' -o -name '*.svg' \
		-o -name '*.map' -o -name '*.wasm' -o -name '*.ttf' -o -name '*.eot' -o -name '*.ico' \) -printf '%P\n' |
		while read -r file; do
			to=$out/$name/$file.gz
			[[ -e $to && ! $from/$file -nt $to ]] && continue
			mkdir -p "${to%/*}"
			gzip -9nc "$from/$file" >"$to.new.$$"
			mv "$to.new.$$" "$to"
		done
}

zone lab "$prefix/share/jupyter/lab/static" &
for static in "$prefix"/lib/python3*/site-packages/notebook/static; do zone notebook "$static"; done
zone labextensions "$prefix/share/jupyter/labextensions"
wait $!
