ARCHIVES += store
store_SRC := src/store/store.c src/store/stmt.c src/store/migrations.c src/store/users.c \
	src/store/sessions.c src/store/servers.c src/store/intents.c src/store/stages.c \
	src/store/choices.c src/store/ends.c src/store/attempts.c

UNIT_TESTS += test_store
test_store_SRC := tests/unit/test_store.c
test_store_LIBS := store base
test_store_PKGS := check sqlite3
