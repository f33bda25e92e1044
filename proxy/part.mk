ARCHIVES += proxy
proxy_SRC := proxy/access.c proxy/client.c proxy/control.c proxy/drain.c proxy/edge.c proxy/force.c \
	proxy/hosts.c proxy/janitor.c proxy/listen.c proxy/options.c proxy/page.c proxy/peer.c \
	proxy/relay.c proxy/reply.c proxy/request.c proxy/rewrite.c proxy/stream_raw.c proxy/table.c \
	proxy/table_change.c proxy/table_json.c proxy/target.c proxy/tunnel.c proxy/upstream.c
PROGRAMS += cygnet-proxy
cygnet-proxy_SRC := proxy/main.c
cygnet-proxy_LIBS := proxy http daemon base
cygnet-proxy_PKGS := libuv yaml-0.1 jansson libcrypto
UNIT_TESTS += test_proxy_table test_proxy_edge test_proxy_rewrite test_proxy_client test_proxy_change
test_proxy_change_SRC := tests/unit/test_proxy_change.c
test_proxy_change_LIBS := proxy http base
test_proxy_change_PKGS := check jansson libcrypto
test_proxy_client_SRC := tests/unit/test_proxy_client.c
test_proxy_client_LIBS := proxy http daemon base
test_proxy_client_PKGS := check libuv yaml-0.1 jansson libcrypto
test_proxy_table_SRC := tests/unit/test_proxy_table.c
test_proxy_edge_SRC := tests/unit/test_proxy_edge.c
test_proxy_rewrite_SRC := tests/unit/test_proxy_rewrite.c
test_proxy_table_LIBS := proxy http base
test_proxy_edge_LIBS := proxy http base
test_proxy_rewrite_LIBS := proxy http base
test_proxy_table_PKGS := check jansson libcrypto
test_proxy_edge_PKGS := check jansson libcrypto
test_proxy_rewrite_PKGS := check jansson libcrypto
FUZZ_TARGETS += proxy_table proxy_change proxy_rewrite proxy_answer
fuzz_proxy_change_SRC := tests/fuzz/fuzz_proxy_change.c
fuzz_proxy_change_LIBS := proxy http base
fuzz_proxy_change_PKGS := jansson libcrypto
fuzz_proxy_table_SRC := tests/fuzz/fuzz_proxy_table.c
fuzz_proxy_table_LIBS := proxy http base
fuzz_proxy_table_PKGS := jansson libcrypto
fuzz_proxy_rewrite_SRC := tests/fuzz/fuzz_proxy_rewrite.c
fuzz_proxy_rewrite_LIBS := proxy http base
fuzz_proxy_rewrite_PKGS := jansson libcrypto
fuzz_proxy_answer_SRC := tests/fuzz/fuzz_proxy_answer.c
fuzz_proxy_answer_LIBS := proxy http base
fuzz_proxy_answer_PKGS := jansson libcrypto
