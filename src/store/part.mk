ARCHIVES += store
store_SRC := src/store/store.c src/store/stmt.c src/store/migrations.c src/store/tables.c \
	src/store/table_sql.c src/store/table.c src/store/queries.c

UNIT_TESTS += test_store test_store_tables
test_store_SRC := tests/unit/test_store.c tests/unit/store_rig.c
test_store_LIBS := store base
test_store_PKGS := check sqlite3
test_store_tables_SRC := tests/unit/test_store_tables.c tests/unit/store_rig.c
test_store_tables_LIBS := store base
test_store_tables_PKGS := check sqlite3
