TEST_PROGRAMS += bench_backend bench_table
bench_table_SRC := tests/bench/bench_table.c
bench_table_LIBS := hub base
bench_table_PKGS := jansson
bench_backend_SRC := tests/bench/bench_backend.c
bench_backend_LIBS := daemon base
