TEST_PROGRAMS += bench_backend
bench_backend_SRC := tests/bench/bench_backend.c
bench_backend_LIBS := daemon base
