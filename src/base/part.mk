ARCHIVES += base
base_SRC := src/base/err.c src/base/mem.c src/base/str.c src/base/num.c src/base/buf.c src/base/hash.c \
	src/base/arena.c src/base/clock.c src/base/enc.c src/base/file.c
UNIT_TESTS += test_base test_base_io
test_base_SRC := tests/unit/base/test_base.c
test_base_LIBS := base
test_base_PKGS := check
test_base_io_SRC := tests/unit/base/test_base_io.c
test_base_io_LIBS := base
test_base_io_PKGS := check
