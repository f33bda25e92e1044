#!/bin/bash
# The bare-root proof: makes a minimal Debian 12 root with only git and make, clones the committed tree into it
# and runs make there. Use: bare_root.sh [MAKE-TARGET...] (test unless named). A green run on a used machine
# hides a missing install; this one does not. Needs root and debootstrap. KEEP=1 keeps the root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ $(id -u) -eq 0 ]] || { echo "only root can make a root file system" >&2; exit 3; }
[[ $# -gt 0 ]] || set -- test
root=$(mktemp -d "${BARE:-/var/tmp}/cygnet-bare.XXXXXX")
chmod 755 "$root"
log=build/test-logs/bare-root.log
mkdir -p build/test-logs

end() {
	[[ -n ${KEEP:-} ]] && echo "kept: $root" && return
	# The namespace that held its mounts is gone by now; nothing of the host is below it.
	rm -rf --one-file-system "$root"
}
trap end EXIT

# The mirror is whatever this machine's apt uses for the release.
# shellcheck disable=SC2016  # apt expands it
sources() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sort -u; }
mirror=$(sources | sed -n 's/ bookworm$//p' | head -n 1)
[[ -n $mirror ]] || { echo "apt knows no mirror of bookworm: apt-get update" >&2; exit 2; }

echo "bare root: debootstrap into $root"
debootstrap --variant=minbase --include=git,make bookworm "$root" "$mirror" >"$log" 2>&1 ||
	{ tail -n 20 "$log" >&2; exit 1; }
sources | sed -n 's/^\(.*\) \(bookworm[a-z-]*\)$/deb \1 \2 main/p' >"$root/etc/apt/sources.list"
cp /etc/resolv.conf /etc/hosts "$root/etc/"
echo "127.0.0.1 localhost $(hostname)" >>"$root/etc/hosts"
# A site with certificate authorities of its own has them here, as root of the new machine would.
mkdir -p "$root/usr/local/share/ca-certificates"
cp -r /usr/local/share/ca-certificates/. "$root/usr/local/share/ca-certificates/"
git clone -q --no-hardlinks . "$root/srv/cygnet"

echo "bare root: $(chroot "$root" dpkg-query -W | wc -l) packages, $(du -sm "$root" | cut -f1) MB; make $*"
# The new root is a mount point that we pivot into: in a plain chroot no user namespace can be made, and none of
# our namespaces could set up its mounts.
# shellcheck disable=SC2016  # the inner shell expands it
unshare --mount --pid --fork --kill-child bash -ec '
	cd "$1"
	shift
	mount --bind . .
	cd "$PWD"
	mount -t proc proc proc
	mount --rbind /sys sys
	mount --rbind /dev dev
	mount -t tmpfs -o mode=1777 tmpfs tmp
	mkdir -p .old
	pivot_root . .old
	cd /
	umount -l /.old
	rmdir /.old
	exec env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 CI=true \
		${MINUTES:+MINUTES=$MINUTES} make -C /srv/cygnet "$@"
' bare "$root" "$@" </dev/null 2>&1 | tee -a "$log"
