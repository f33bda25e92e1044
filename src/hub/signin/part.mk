hub_SRC += src/hub/signin/attempts.c src/hub/signin/signin_audit.c src/hub/signin/oidc_config.c src/hub/signin/oidc_login.c \
	src/hub/signin/oidc_provider.c src/hub/signin/signin.c src/hub/signin/signin_complete.c \
	src/hub/signin/signin_dev.c src/hub/signin/signin_endpoints.c src/hub/signin/signin_form.c src/hub/signin/signin_oidc.c \
	src/hub/signin/signin_refuse.c src/hub/signin/signin_try.c

UNIT_TESTS += test_signin_alone
test_signin_alone_SRC := tests/unit/hub/test_signin_alone.c tests/unit/http/http_rig.c
test_signin_alone_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_signin_alone_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
