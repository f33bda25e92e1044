ARCHIVES += http
http_SRC := src/http/text.c src/http/peer.c src/http/head_parse.c src/http/head_check.c src/http/head_write.c \
	src/http/origin.c src/http/body.c src/http/url.c src/http/cookie.c src/http/ws.c src/http/sha1.c \
	src/http/endpoint.c src/http/mount.c src/http/route.c src/http/server.c src/http/conn.c src/http/out.c src/http/request.c \
	src/http/respond.c src/http/reply.c src/http/stream.c src/http/client.c
# Apart, so that only the program that serves by it links libmicrohttpd.
ARCHIVES += httpmhd
httpmhd_SRC := src/http/mhd.c src/http/mhd_reply.c src/http/mhd_stream.c
TEST_PROGRAMS += http_echo_server
http_echo_server_SRC := tests/support/http_echo_server.c
http_echo_server_LIBS := httpmhd http daemon base
http_echo_server_PKGS := libuv yaml-0.1 libmicrohttpd

UNIT_TESTS += test_http_refused
test_http_refused_SRC := tests/unit/http/test_http_refused.c tests/unit/http/http_rig.c
test_http_refused_LIBS := http daemon base
test_http_refused_PKGS := check libuv
UNIT_TESTS += test_http_head test_http_url test_http_origin
test_http_origin_SRC := tests/unit/http/test_http_origin.c
test_http_origin_LIBS := http base
test_http_origin_PKGS := check
test_http_head_SRC := tests/unit/http/test_http_head.c
test_http_head_LIBS := http base
test_http_head_PKGS := check
test_http_url_SRC := tests/unit/http/test_http_url.c
test_http_url_LIBS := http base
test_http_url_PKGS := check

FUZZ_TARGETS += http1_head http1_body url_path cookie form http_origin
fuzz_http_origin_SRC := tests/fuzz/fuzz_http_origin.c
fuzz_http_origin_LIBS := http base
fuzz_http1_head_SRC := tests/fuzz/fuzz_http1_head.c
fuzz_http1_head_LIBS := http base
fuzz_http1_body_SRC := tests/fuzz/fuzz_http1_body.c
fuzz_http1_body_LIBS := http base
fuzz_url_path_SRC := tests/fuzz/fuzz_url_path.c
fuzz_url_path_LIBS := http base
fuzz_cookie_SRC := tests/fuzz/fuzz_cookie.c
fuzz_cookie_LIBS := http base
fuzz_form_SRC := tests/fuzz/fuzz_form.c
fuzz_form_LIBS := http base
UNIT_TESTS += test_http_server test_http_later
test_http_server_SRC := tests/unit/http/test_http_server.c tests/unit/http/http_rig.c
test_http_server_LIBS := http daemon base
test_http_server_PKGS := check libuv
test_http_later_SRC := tests/unit/http/test_http_later.c tests/unit/http/http_rig.c
test_http_later_LIBS := http daemon base
test_http_later_PKGS := check libuv
UNIT_TESTS += test_http_flow
test_http_flow_SRC := tests/unit/http/test_http_flow.c tests/unit/http/http_rig.c
test_http_flow_LIBS := http daemon base
test_http_flow_PKGS := check libuv yaml-0.1
UNIT_TESTS += test_http_client
test_http_client_SRC := tests/unit/http/test_http_client.c tests/unit/http/http_rig.c
test_http_client_LIBS := http daemon base
test_http_client_PKGS := check libuv yaml-0.1
UNIT_TESTS += test_http_mounts
test_http_mounts_SRC := tests/unit/http/test_http_mounts.c tests/unit/http/http_rig.c
test_http_mounts_LIBS := http daemon base
test_http_mounts_PKGS := check libuv
