ARCHIVES += contents
contents_SRC := kernels/contents/nbformat.c kernels/contents/nbread.c kernels/contents/nbcheck.c \
	kernels/contents/nbupgrade.c kernels/contents/path.c kernels/contents/mime.c \
	kernels/contents/state.c kernels/contents/trust.c kernels/contents/model.c \
	kernels/contents/get.c kernels/contents/save.c kernels/contents/put.c kernels/contents/post.c \
	kernels/contents/tree.c kernels/contents/modify.c kernels/contents/checkpoints.c \
	kernels/contents/files.c kernels/contents/contents.c

TEST_PROGRAMS += nb_rewrite
nb_rewrite_SRC := tests/support/nb_rewrite.c
nb_rewrite_LIBS := contents kbase base

UNIT_TESTS += test_nbformat
test_nbformat_SRC := tests/unit/kernels/test_nbformat.c
test_nbformat_LIBS := contents kbase base
test_nbformat_PKGS := check

FUZZ_TARGETS += nbformat
fuzz_nbformat_SRC := tests/fuzz/fuzz_nbformat.c
fuzz_nbformat_LIBS := contents kbase base

UNIT_TESTS += test_contents
test_contents_SRC := tests/unit/kernels/test_contents.c
test_contents_LIBS := contents kbase http base
test_contents_PKGS := check libuv libcrypto sqlite3 zlib
