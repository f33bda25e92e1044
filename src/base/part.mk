ARCHIVES += base
base_SRC := src/base/err.c src/base/mem.c src/base/str.c src/base/num.c src/base/buf.c src/base/hash.c \
	src/base/arena.c src/base/clock.c src/base/enc.c src/base/file.c
