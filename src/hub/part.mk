# The hub's wings name their own sources (their part.mk), which make up this archive.
ARCHIVES += hub
hub_SRC := src/hub/control.c src/hub/turn.c src/hub/options.c src/hub/hub.c src/hub/metrics.c

PROGRAMS += cygnet-hub
cygnet-hub_SRC := src/hub/main.c
cygnet-hub_LIBS := hub spark store oidc httpmhd http ipc daemon base
cygnet-hub_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_hub_secrets
test_hub_secrets_SRC := tests/unit/hub/test_hub_secrets.c
test_hub_secrets_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_secrets_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_hub_pure
test_hub_pure_SRC := tests/unit/hub/test_hub_pure.c
test_hub_pure_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_pure_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_table_delta
test_table_delta_SRC := tests/unit/proxy/test_table_delta.c
test_table_delta_LIBS := hub proxy http base
test_table_delta_PKGS := check jansson libcrypto

UNIT_TESTS += test_hub_bounds
test_hub_bounds_SRC := tests/unit/hub/test_hub_bounds.c
test_hub_bounds_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_hub_bounds_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_hub_oidc
test_hub_oidc_SRC := tests/unit/hub/test_hub_oidc.c
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

FUZZ_TARGETS += spark_report
fuzz_spark_report_SRC := tests/fuzz/fuzz_spark_report.c
fuzz_spark_report_LIBS := hub spark store oidc httpmhd http ipc daemon base
fuzz_spark_report_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd

UNIT_TESTS += test_spark_account
test_spark_account_SRC := tests/unit/hub/test_spark_account.c
test_spark_account_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_spark_account_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
