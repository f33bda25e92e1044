ARCHIVES += contents
contents_SRC := kernels/contents/tape.c kernels/contents/jsonw.c kernels/contents/utf8.c

UNIT_TESTS += test_tape
test_tape_SRC := tests/unit/test_tape.c
test_tape_LIBS := contents base
test_tape_PKGS := check

FUZZ_TARGETS += json_tape
fuzz_json_tape_SRC := tests/fuzz/fuzz_json_tape.c
fuzz_json_tape_LIBS := contents base
