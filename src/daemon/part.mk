ARCHIVES += daemon
daemon_SRC := src/daemon/log.c src/daemon/loop.c src/daemon/notify.c src/daemon/yaml.c src/daemon/options.c \
	src/daemon/options_help.c src/daemon/unixsock.c src/daemon/listener.c src/daemon/listen_fds.c src/daemon/curl.c src/daemon/child.c \
	src/daemon/metrics.c src/daemon/metrics_places.c src/daemon/metrics_text.c src/daemon/metrics_process.c \
	src/daemon/yaml_fields.c src/daemon/yaml_fields_doc.c
UNIT_TESTS += test_daemon
test_daemon_SRC := tests/unit/daemon/test_daemon.c
test_daemon_LIBS := ipc daemon base
test_daemon_PKGS := check libuv yaml-0.1
UNIT_TESTS += test_child
test_child_SRC := tests/unit/daemon/test_child.c
test_child_LIBS := daemon base
test_child_PKGS := check libuv
UNIT_TESTS += test_listener
test_listener_SRC := tests/unit/daemon/test_listener.c
test_listener_LIBS := daemon base
test_listener_PKGS := check libuv
UNIT_TESTS += test_curl
test_curl_SRC := tests/unit/daemon/test_curl.c
test_curl_LIBS := daemon base
test_curl_PKGS := check libuv libcurl
UNIT_TESTS += test_metrics
test_metrics_SRC := tests/unit/daemon/test_metrics.c
test_metrics_LIBS := daemon base
test_metrics_PKGS := check
UNIT_TESTS += test_yaml_fields
test_yaml_fields_SRC := tests/unit/daemon/test_yaml_fields.c
test_yaml_fields_LIBS := daemon base
test_yaml_fields_PKGS := check yaml-0.1

FUZZ_TARGETS += yaml_fields
fuzz_yaml_fields_SRC := tests/fuzz/fuzz_yaml_fields.c
fuzz_yaml_fields_LIBS := daemon base
fuzz_yaml_fields_PKGS := yaml-0.1
