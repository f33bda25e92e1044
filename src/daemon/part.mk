ARCHIVES += daemon
daemon_SRC := src/daemon/log.c src/daemon/loop.c src/daemon/yaml.c src/daemon/options.c \
	src/daemon/options_help.c src/daemon/unixsock.c src/daemon/listen_fds.c src/daemon/curl.c \
	src/daemon/metrics.c src/daemon/metrics_text.c src/daemon/metrics_process.c
UNIT_TESTS += test_daemon
test_daemon_SRC := tests/unit/test_daemon.c
test_daemon_LIBS := ipc daemon base
test_daemon_PKGS := check libuv yaml-0.1
UNIT_TESTS += test_metrics
test_metrics_SRC := tests/unit/test_metrics.c
test_metrics_LIBS := daemon base
test_metrics_PKGS := check
