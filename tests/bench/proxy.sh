#!/bin/bash
# Proxied requests per second of one core, keep-alive, 64 connections: cygnet-proxy beside configurable-http-proxy
# in the same run, in turns, in front of the same server. A busy machine slows both; so what counts is the ratio of
# requests per second of processor time. Use: proxy.sh [SECONDS [ROUNDS]]. Needs wrk.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
seconds=${1:-4} rounds=${2:-3}
bin=build/${FLAVOUR:-release}
chp=$(tests/support/cache.sh chp)
tmp=$(mktemp -d)
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; wait 2>/dev/null; rm -rf "$tmp"' EXIT

secret=$(printf %064d 1)
cat >"$tmp/table.json" <<END
{"generation": 1,
 "routes": [{"prefix": "/", "target": "unix:$tmp/server.sock", "auth": "none"},
            {"prefix": "/tcp/", "target": "tcp:127.0.0.1:18601", "auth": "none"},
            {"prefix": "/user/alice/", "target": "unix:$tmp/server.sock", "auth": "session", "owner": "alice",
             "server": "0123456789abcdef"}],
 "credentials": [{"sha256": "$(printf %s "$secret" | sha256sum | cut -d' ' -f1)", "user": "alice"}]}
END

"$bin/test/bench_backend" 18601 "$tmp/server.sock" &
pids+=("$!")
"$bin/bin/cygnet-proxy" --listen 127.0.0.1:18602 --table "$tmp/table.json" 2>"$tmp/proxy.log" &
pids+=("$!")
CONFIGPROXY_AUTH_TOKEN=bench "$chp/node" "$chp/node_modules/configurable-http-proxy/bin/configurable-http-proxy" \
	--ip 127.0.0.1 --port 18603 --api-port 18604 --default-target http://127.0.0.1:18601 --log-level error \
	>"$tmp/chp.log" 2>&1 &
pids+=("$!")
for port in 18601 18602 18603; do
	until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
done

ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

# measure NAME PID URL: a line "NAME requests/s requests/s-of-processor-time RSS" in the results.
measure() {
	local before after out
	before=$(ticks "$2")
	out=$(wrk -t1 -c64 -d"${seconds}s" -H "Authorization: token $secret" "$3")
	after=$(ticks "$2")
	if grep -q "Non-2xx\|Socket errors" <<<"$out"; then
		echo "$1: $out" >&2
		return 1
	fi
	awk -v name="$1" -v cpu=$((after - before)) -v hz="$(getconf CLK_TCK)" -v s="$seconds" \
		-v rss="$(awk '/VmRSS/ { print $2 }' "/proc/$2/status")" \
		'/^Requests\/sec/ { print name, $2, $2 * s * hz / cpu, rss }' <<<"$out" >>"$tmp/results"
}

measure chp "${pids[2]}" http://127.0.0.1:18603/x # its compiler warms up
: >"$tmp/results"
for ((i = 0; i < rounds; i++)); do
	measure chp "${pids[2]}" http://127.0.0.1:18603/x
	measure cygnet "${pids[1]}" http://127.0.0.1:18602/x
	measure cygnet-tcp "${pids[1]}" http://127.0.0.1:18602/tcp/x
	measure cygnet-session "${pids[1]}" http://127.0.0.1:18602/user/alice/api/x
done
awk '{ n[$1]++; wall[$1] += $2; core[$1] += $3; rss[$1] = $4 }
	END {
		printf "%-16s %12s %18s %8s %8s\n", "proxy", "requests/s", "per core-second", "ratio", "RSS MB"
		split("chp cygnet-tcp cygnet cygnet-session", order)
		for (i = 1; i <= 4; i++) { k = order[i]
			printf "%-16s %12.0f %18.0f %8.1f %8.1f\n", k, wall[k] / n[k], core[k] / n[k], (core[k] / n[k]) / (core["chp"] / n["chp"]), rss[k] / 1024 }
	}' "$tmp/results"
