ARCHIVES += contents
contents_SRC := kernels/contents/tape.c kernels/contents/jsonw.c kernels/contents/utf8.c \
	kernels/contents/pyjson.c kernels/contents/nbformat.c kernels/contents/nbread.c \
	kernels/contents/nbcheck.c kernels/contents/nbupgrade.c

UNIT_TESTS += test_tape
test_tape_SRC := tests/unit/test_tape.c
test_tape_LIBS := contents base
test_tape_PKGS := check

FUZZ_TARGETS += json_tape
fuzz_json_tape_SRC := tests/fuzz/fuzz_json_tape.c
fuzz_json_tape_LIBS := contents base

TEST_PROGRAMS += nb_rewrite
nb_rewrite_SRC := tests/support/nb_rewrite.c
nb_rewrite_LIBS := contents base

UNIT_TESTS += test_nbformat
test_nbformat_SRC := tests/unit/test_nbformat.c
test_nbformat_LIBS := contents base
test_nbformat_PKGS := check

FUZZ_TARGETS += nbformat
fuzz_nbformat_SRC := tests/fuzz/fuzz_nbformat.c
fuzz_nbformat_LIBS := contents base
