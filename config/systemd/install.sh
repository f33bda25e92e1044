#!/bin/bash
# `make install`: programs, web files, kernels' Python, JupyterLab's extension, configuration samples, documents and
# systemd's files. Use: install.sh BIN-FOLDER DESTDIR PREFIX. Writes below DESTDIR/PREFIX alone; /etc/cygnet is the
# administrator's.
set -euo pipefail
[[ $# -eq 3 && $3 == /* ]] || { echo "use: $0 BIN-FOLDER DESTDIR PREFIX (an absolute path)" >&2; exit 2; }
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=${here%/config/systemd}
bin=$1 prefix=${3%/}
to=$2$prefix
umask 022

# files MODE FOLDER FILE...
files() {
	install -d -m 755 "$to/$2"
	install -m "$1" -t "$to/$2" "${@:3}"
}
# tree FOLDER-HERE FOLDER: all of it but scripts and our own folder.
tree() {
	local file
	while read -r file; do
		files 644 "$2/$(dirname "${file#"$1"/}")" "$top/$file"
	done < <(cd "$top" && find "$1" -type f ! -name '*.sh' ! -path '*/__pycache__/*' ! -path 'config/systemd/*' | sort)
}
# unit FILE FOLDER [NAME]: with the places of this installation.
unit() {
	install -d -m 755 "$to/$2"
	sed -e "s#@LIBEXEC@#$prefix/lib/cygnet#g; s#@SHARE@#$prefix/share/cygnet#g; s#@DOC@#$prefix/share/doc/cygnet#g" \
		"$here/$1" >"$to/$2/${3:-$1}"
	chmod 644 "$to/$2/${3:-$1}"
}

for program in "$bin"/cygnet*; do
	case $(basename "$program") in
	cygnetctl) files 755 bin "$program" ;;
	*) files 755 lib/cygnet "$program" ;;
	esac
done
tree src/web share/cygnet/web
tree kernels/python share/cygnet/python
# Where Jupyter servers look themselves when PREFIX is /usr/local; elsewhere `cygnet-agent --labextensions` names it.
if built=$("$top/tests/support/cache.sh" labextension); then
	install -d -m 755 "$to/share/jupyter/labextensions"
	rm -rf "$to/share/jupyter/labextensions/@cygnet"
	cp -R --no-preserve=mode,ownership "$built/@cygnet" "$to/share/jupyter/labextensions/"
else
	echo "install: JupyterLab's Spark panel is missing: it could not be built (npm packages, see above)" >&2
fi
tree config share/cygnet/config
tree docs share/doc/cygnet
files 644 share/doc/cygnet "$top/README.md" "$top/LICENSE"
for one in "$here"/*.{service,socket,target}; do
	unit "$(basename "$one")" lib/systemd/system
done
unit cygnet.sysusers.conf lib/sysusers.d cygnet.conf
unit cygnet.tmpfiles.conf lib/tmpfiles.d cygnet.conf
