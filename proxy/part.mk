ARCHIVES += proxy
proxy_SRC := proxy/access.c proxy/client.c proxy/control.c proxy/drain.c proxy/edge.c proxy/force.c \
	proxy/janitor.c proxy/listen.c proxy/options.c proxy/origin.c proxy/page.c proxy/peer.c \
	proxy/relay.c proxy/reply.c proxy/request.c proxy/rewrite.c proxy/stream_raw.c proxy/table.c \
	proxy/table_json.c proxy/target.c proxy/tunnel.c proxy/upstream.c
PROGRAMS += cygnet-proxy
cygnet-proxy_SRC := proxy/main.c
cygnet-proxy_LIBS := proxy http daemon base
cygnet-proxy_PKGS := libuv yaml-0.1 jansson libcrypto
