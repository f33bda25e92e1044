hub_SRC += src/hub/access/access.c src/hub/access/people.c src/hub/access/credentials.c src/hub/access/sessions.c \
	src/hub/access/auth.c
hub_SRC += src/hub/access/scope.c src/hub/access/scope_set.c src/hub/access/role.c src/hub/access/principal.c \
	src/hub/access/rule.c src/hub/access/who.c src/hub/access/token.c \
	src/hub/access/service.c src/hub/access/holdings.c src/hub/access/roles.c src/hub/access/group.c
hub_SRC += src/hub/access/reserved.c src/hub/access/audit.c

UNIT_TESTS += test_scope
test_scope_SRC := tests/unit/hub/test_scope.c
test_scope_LIBS := hub base
test_scope_PKGS := check

FUZZ_TARGETS += scope
fuzz_scope_SRC := tests/fuzz/fuzz_scope.c
fuzz_scope_LIBS := hub base

UNIT_TESTS += test_rule
test_rule_SRC := tests/unit/hub/test_rule.c
test_rule_LIBS := hub base
test_rule_PKGS := check

UNIT_TESTS += test_access_rows test_access_undo
test_access_rows_SRC := tests/unit/hub/test_access_rows.c tests/unit/hub/access_rig.c
test_access_rows_LIBS := hub spark store oidc http ipc daemon base
test_access_rows_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl
test_access_undo_SRC := tests/unit/hub/test_access_undo.c tests/unit/hub/access_rig.c
test_access_undo_LIBS := hub spark store oidc http ipc daemon base
test_access_undo_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl

UNIT_TESTS += test_audit
test_audit_SRC := tests/unit/hub/test_audit.c tests/unit/store/store_rig.c tests/unit/store/fault_vfs.c
test_audit_LIBS := hub spark store oidc http ipc daemon base
test_audit_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl
