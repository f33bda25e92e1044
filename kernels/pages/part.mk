ARCHIVES += pages
pages_SRC := kernels/pages/pages.c kernels/pages/page.c kernels/pages/page_config.c \
	kernels/pages/template.c kernels/pages/federated.c kernels/pages/static.c \
	kernels/pages/settings.c kernels/pages/workspaces.c kernels/pages/licenses.c \
	kernels/pages/merge.c kernels/pages/json5.c

TEST_PROGRAMS += contents_server
contents_server_SRC := tests/support/contents_server.c
contents_server_LIBS := pages contents kbase http daemon base
contents_server_PKGS := libuv libcrypto sqlite3 zlib yaml-0.1

UNIT_TESTS += test_pages
test_pages_SRC := tests/unit/kernels/test_pages.c
test_pages_LIBS := pages contents kbase http base
test_pages_PKGS := check libuv libcrypto sqlite3 zlib

FUZZ_TARGETS += json5
fuzz_json5_SRC := tests/fuzz/fuzz_json5.c
fuzz_json5_LIBS := pages contents kbase base
