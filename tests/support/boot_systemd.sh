#!/bin/bash
# Boots systemd in a container root with Cygnet installed by `make install`: every unit comes up by socket
# activation, the site responds, a daemon that hangs is killed by the watchdog and comes back, a stop is clean.
# Prints the figures of `systemd-analyze security`. Needs root, debootstrap, systemd-nspawn; BASE=FOLDER names a root
# made before. KEEP=1 keeps the root. Last line: N passed, N failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[[ $(id -u) -eq 0 ]] || { echo "only root can boot a container" >&2; exit 3; }
flavour=${FLAVOUR:-release}
bin=build/$flavour/bin
root=$(mktemp -d "${BARE:-/var/tmp}/cygnet-systemd.XXXXXX")
chmod 755 "$root"
mkdir -p build/test-logs
log=build/test-logs/systemd.log
passed=0 failed=0 nspawn='' init=''

end() {
	[[ -z $init ]] || inside systemctl poweroff 2>/dev/null || true
	[[ -z $nspawn ]] || wait "$nspawn" 2>/dev/null || true
	[[ -n ${KEEP:-} ]] && { echo "kept: $root"; return; }
	rm -rf --one-file-system "$root"
}
trap end EXIT

inside() { nsenter -t "$init" -a "$@"; }

# check SENTENCE COMMAND...
check() {
	local what=$1
	shift
	if "$@" >"$log.check" 2>&1; then
		passed=$((passed + 1))
		echo "  ok      $what"
	else
		failed=$((failed + 1))
		echo "  FAILED  $what"
		sed 's/^/          /' "$log.check"
	fi
}

# Waits (at most two minutes) until a command succeeds.
until_true() {
	local try
	for ((try = 0; try < 600; try++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	"$@"
}

# The packages that hold the libraries of our programs.
libraries() {
	ldd "$bin"/cygnet* | awk '$3 ~ /^\// { print $3 }' | sort -u | while read -r file; do
		dpkg -S "$file" 2>/dev/null || dpkg -S "/usr$file"
	done | cut -d: -f1 | sort -u
}

# shellcheck disable=SC2016  # apt expands it
mirror() { apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | sed -n 's/ bookworm$//p' | head -n 1; }

make_root() {
	local packages
	if [[ -n ${BASE:-} ]]; then
		cp -a "$BASE/." "$root/"
		rm -rf "$root/etc/cygnet"
	else
		packages=systemd,systemd-sysv,dbus,procps,bubblewrap,$(libraries | paste -sd,)
		debootstrap --variant=minbase --include="$packages" bookworm "$root" "$(mirror)" >"$log" 2>&1 ||
			{ tail -n 20 "$log" >&2; exit 1; }
	fi
	make -s FLAVOUR="$flavour" install DESTDIR="$root" PREFIX=/usr
	mkdir -p "$root/etc/cygnet"
	cp "$root"/usr/share/cygnet/config/*.yaml "$root/etc/cygnet/"
	# The samples' software is not here: what is tried is the daemons.
	sed -i 's/^\( *\)- source: "{cache}\/jupyter"/&\n\1  optional: true/' "$root/etc/cygnet/templates.yaml"
	systemctl --root="$root" -q enable cygnet.target
}

boot() {
	# shellcheck disable=SC2016  # the inner shell expands it
	unshare -m --propagation private sh -c 'exec systemd-nspawn -q -b -D "$1" --private-network --register=no \
		--keep-unit --console=pipe' nspawn "$root" </dev/null >"$log.boot" 2>&1 &
	nspawn=$!
	until_true pgrep -P $nspawn -x systemd || { cat "$log.boot"; exit 1; }
	init=$(pgrep -P $nspawn -x systemd)
	until_true inside systemctl is-active -q multi-user.target
}

# An HTTP response of the public address, by the shell alone.
# shellcheck disable=SC2016  # the inner shell expands it
get() {
	inside bash -c 'exec 3<>/dev/tcp/127.0.0.1/8000
		printf "GET %s HTTP/1.1\r\nHost: localhost:8000\r\nConnection: close\r\n\r\n" "$1" >&3
		cat <&3' get "$1" | head -n 1 | grep -q " $2 "
}

hangs_and_comes_back() {
	local unit=$1 before pid
	inside mkdir -p "/run/systemd/system/$unit.service.d"
	inside bash -c "printf '[Service]\nWatchdogSec=2\n' >/run/systemd/system/$unit.service.d/quick.conf"
	inside systemctl daemon-reload
	inside systemctl restart "$unit"
	before=$(inside systemctl show -P NRestarts "$unit")
	pid=$(inside systemctl show -P MainPID "$unit")
	inside kill -STOP "$pid"
	until_true inside bash -c "[[ \$(systemctl show -P NRestarts $unit) -gt $before ]] && systemctl is-active -q $unit"
}

make_root
boot
for unit in cygnet-spawner cygnet-proxy cygnet-hub; do
	check "$unit is up" until_true inside systemctl is-active "$unit.service"
done
check "no unit failed" bash -c "[[ -z \$(nsenter -t $init -a systemctl --failed --plain --no-legend 'cygnet*') ]]"
check "the sockets are systemd's" inside bash -c "[[ \$(systemctl is-active 'cygnet-*.socket' | grep -c '^active') -eq 6 ]]"
check "the hub answers through the proxy" until_true get "/hub/health" 200
check "the spawner and the proxy are known to the hub" until_true get "/hub/health?wait=1" 200
check "the spawner makes sandboxes" inside bash -c 'journalctl -q -b -u cygnet-spawner | grep "Each server has a sandbox"'
check "cygnetctl reads the metrics" inside cygnetctl metrics
# shellcheck disable=SC2016  # the inner shell expands it
check "the daemons have no rights" inside bash -c 'for one in hub proxy; do
	grep -q "^CapEff:	0000000000000000$" /proc/$(systemctl show -P MainPID cygnet-$one)/status || exit 1; done'
for unit in cygnet-hub cygnet-proxy cygnet-spawner; do
	check "$unit hangs, is killed and comes back" hangs_and_comes_back "$unit"
done
check "the hub answers again" until_true get "/hub/health?wait=1" 200
inside journalctl -q --no-pager -u 'cygnet-*' >build/test-logs/systemd-journal.log 2>&1 || true
inside systemctl stop cygnet.target
check "a stop leaves no unit failed" bash -c "[[ -z \$(nsenter -t $init -a systemctl --failed --plain --no-legend 'cygnet*') ]]"

echo "exposure (systemd-analyze security, 0 is best):"
for unit in hub proxy spawner; do
	systemd-analyze security --offline=true --no-pager "$root/usr/lib/systemd/system/cygnet-$unit.service" 2>/dev/null |
		tail -n 1 | sed 's/^[^A-Za-z]*/  /'
done
echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
