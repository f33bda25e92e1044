hub_PURE := src/hub/srv_state.c src/hub/profiles.c src/hub/profiles_read.c src/hub/stackfile.c \
	src/hub/choice.c src/hub/policy.c src/hub/stages.c src/hub/ratelimit.c \
	src/hub/oidc_config.c src/hub/reserved.c src/hub/kernel_rows.c src/hub/asks.c
ARCHIVES += hub
hub_SRC := $(hub_PURE) src/hub/spawner_link.c src/hub/spawners.c \
	src/hub/proxy_link.c src/hub/table.c src/hub/srv.c src/hub/srv_table.c src/hub/start.c src/hub/stop.c \
	src/hub/reconcile.c src/hub/srv_undo.c src/hub/turn.c src/hub/wait.c src/hub/progress.c src/hub/reply.c \
	src/hub/signin.c src/hub/signin_try.c src/hub/signin_form.c src/hub/signin_complete.c src/hub/signin_dev.c src/hub/signin_oidc.c \
	src/hub/signin_refuse.c src/hub/oidc_login.c src/hub/oidc_provider.c src/hub/attempts.c src/hub/pages.c \
	src/hub/pages_lost.c src/hub/api.c src/hub/api_user.c src/hub/api_tokens.c src/hub/api_users.c src/hub/in_force.c src/hub/leave.c src/hub/api_server.c \
	src/hub/api_activity.c src/hub/api_site.c src/hub/api_stat.c src/hub/api_spark.c src/hub/reader.c src/hub/software.c src/hub/clusters.c src/hub/api_service.c src/hub/options.c src/hub/hub.c \
	src/hub/metrics.c src/hub/metrics_requests.c src/hub/control.c

PROGRAMS += cygnet-hub
cygnet-hub_SRC := src/hub/main.c
cygnet-hub_LIBS := hub spark store oidc httpmhd http ipc daemon base
cygnet-hub_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_hub_pure
test_hub_pure_SRC := tests/unit/test_hub_pure.c
test_hub_pure_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_pure_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_table_delta
test_table_delta_SRC := tests/unit/test_table_delta.c
test_table_delta_LIBS := hub proxy http base
test_table_delta_PKGS := check jansson libcrypto

UNIT_TESTS += test_hub_bounds
test_hub_bounds_SRC := tests/unit/test_hub_bounds.c
test_hub_bounds_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_bounds_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_hub_oidc
test_hub_oidc_SRC := tests/unit/test_hub_oidc.c
test_hub_oidc_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_oidc_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
FUZZ_TARGETS += providers
fuzz_providers_SRC := tests/fuzz/fuzz_providers.c
fuzz_providers_LIBS := hub oidc daemon base
fuzz_providers_PKGS := libuv yaml-0.1 jansson libcrypto

FUZZ_TARGETS += hub_choice
fuzz_hub_choice_SRC := tests/fuzz/fuzz_hub_choice.c
fuzz_hub_choice_LIBS := hub spark store oidc httpmhd http ipc daemon base
fuzz_hub_choice_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

FUZZ_TARGETS += stackfile
fuzz_stackfile_SRC := tests/fuzz/fuzz_stackfile.c
fuzz_stackfile_LIBS := hub spark store oidc httpmhd http ipc daemon base
fuzz_stackfile_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

FUZZ_TARGETS += kernel_rows
fuzz_kernel_rows_SRC := tests/fuzz/fuzz_kernel_rows.c
fuzz_kernel_rows_LIBS := hub spark store oidc httpmhd http ipc daemon base
fuzz_kernel_rows_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
