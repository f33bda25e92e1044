#!/bin/bash
# Installs the Debian packages and fills the caches that a set of ours needs; quick when nothing is
# missing. Use: install.sh build|run|test|bench|deep. Each set holds those it builds on.
# Exit 3: packages are missing and we are not root; the one command that root must run is printed.
# The extension of JupyterLab that is ours is in the tests' sets alone: a site can be shown without it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

case "${1:-}" in
build) lists=(build) prefixes=() ;;
run) lists=(build run) prefixes=(jupyter spark stack2025) ;;
test) lists=(build run test) prefixes=(jupyter spark stack2025 test e2e labextension nbsamples) ;;
bench) lists=(build run test bench) prefixes=(jupyter spark stack2025 test e2e chp) ;;
deep) lists=(build run test bench deep) prefixes=(jupyter spark stack2025 test e2e labextension nbsamples chp) ;;
*) echo "use: $0 build|run|test|bench|deep" >&2; exit 2 ;;
esac

# The tests that a list's "unless:NAME" may name.
unless_java17() { [[ $(java -version 2>&1) == *'version "17.'* ]]; }

wanted() {
	local list package rule
	for list in "${lists[@]}"; do
		while read -r package rule; do
			[[ -z $package || $package == \#* ]] && continue
			[[ $rule == unless:* ]] && "unless_${rule#unless:}" && continue
			echo "$package"
		done <"$here/packages-$list.txt"
	done | sort -u
}

missing() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u)
	comm -23 <(wanted) <(echo "$have")
}

# apt's own output is long: one line per package that moves, everything else to the log of a failure.
apt() {
	local log
	log=$(mktemp)
	if DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=600 -y "$@" </dev/null 2>&1 | tee "$log" |
		awk '/^(Fetched|Setting up|Get:1 )/ { print "  " $0; fflush() }' >&2; then
		rm -f "$log"
		return 0
	fi
	tail -n 30 "$log" >&2
	rm -f "$log"
	return 1
}

install_packages() {
	local need
	mapfile -t need < <(missing)
	[[ ${#need[@]} -eq 0 ]] && return 0
	if [[ $(id -u) -ne 0 ]]; then
		echo "Some system packages are missing. Please let root run this one command, then try again:" >&2
		echo "  apt-get update && apt-get install -y --no-install-recommends ${need[*]}" >&2
		exit 3
	fi
	echo "install: ${#need[@]} Debian packages are missing: ${need[*]}" >&2
	# Always: lists that are old, or miss an archive (security), name files that are gone or should not be taken.
	apt update
	apt install --no-install-recommends "${need[@]}"
}

umask 022
install_packages
for name in "${prefixes[@]}"; do
	prefix=$("$here/cache.sh" "$name")
	# What browsers load is compressed once, here, for the agent to send as it is.
	if [[ $name == jupyter ]]; then "$here/../../kernels/pages/precompress.sh" "$prefix"; fi
done
