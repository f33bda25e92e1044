hub_SRC += src/hub/server/hand_over.c src/hub/server/leave.c src/hub/server/progress.c src/hub/server/reconcile.c \
	src/hub/server/srv.c src/hub/server/srv_state.c src/hub/server/srv_metrics.c src/hub/server/srv_audit.c src/hub/server/srv_times.c src/hub/server/srv_spawner.c src/hub/server/srv_table.c src/hub/server/srv_undo.c \
	src/hub/server/stages.c src/hub/server/start.c src/hub/server/stop.c src/hub/server/wait.c
