ARCHIVES += store
store_SRC := src/store/store.c src/store/stmt.c src/store/migrations.c src/store/tables.c \
	src/store/table_sql.c src/store/table.c src/store/queries.c src/store/turn.c src/store/undo.c

UNIT_TESTS += test_store test_store_tables test_store_reads test_store_undo
test_store_SRC := tests/unit/store/test_store.c tests/unit/store/store_rig.c
test_store_LIBS := store base
test_store_PKGS := check sqlite3
test_store_tables_SRC := tests/unit/store/test_store_tables.c tests/unit/store/store_rig.c
test_store_tables_LIBS := store base
test_store_tables_PKGS := check sqlite3
test_store_reads_SRC := tests/unit/store/test_store_reads.c tests/unit/store/store_rig.c
test_store_reads_LIBS := store base
test_store_reads_PKGS := check sqlite3
test_store_undo_SRC := tests/unit/store/test_store_undo.c tests/unit/store/store_rig.c tests/unit/store/fault_vfs.c
test_store_undo_LIBS := store base
test_store_undo_PKGS := check sqlite3
