hub_SRC += src/hub/server/hand_over.c src/hub/server/leave.c src/hub/server/progress.c src/hub/server/reconcile.c \
	src/hub/server/srv.c src/hub/server/srv_state.c src/hub/server/srv_metrics.c src/hub/server/srv_audit.c src/hub/server/spark_account.c src/hub/server/srv_times.c src/hub/server/srv_spawner.c src/hub/server/srv_table.c src/hub/server/srv_undo.c \
	src/hub/server/stages.c src/hub/server/start.c src/hub/server/stop.c src/hub/server/wait.c

UNIT_TESTS += test_server_ends
test_server_ends_SRC := tests/unit/hub/test_server_ends.c tests/unit/http/http_rig.c tests/unit/store/store_rig.c
test_server_ends_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_server_ends_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
