hub_PURE := src/hub/srv_state.c src/hub/profiles.c src/hub/profiles_read.c src/hub/choice.c \
	src/hub/policy.c src/hub/stages.c src/hub/secret.c src/hub/ratelimit.c
ARCHIVES += hub
hub_SRC := $(hub_PURE) src/hub/people.c src/hub/sessions.c src/hub/spawner_link.c \
	src/hub/proxy_link.c src/hub/table.c src/hub/srv.c src/hub/start.c src/hub/stop.c \
	src/hub/reconcile.c src/hub/wait.c src/hub/progress.c src/hub/auth.c src/hub/reply.c \
	src/hub/signin.c src/hub/signin_complete.c src/hub/signin_dev.c src/hub/pages.c \
	src/hub/pages_lost.c src/hub/api.c src/hub/api_user.c src/hub/api_server.c \
	src/hub/api_activity.c src/hub/api_site.c src/hub/api_stat.c src/hub/api_spark.c src/hub/reader.c src/hub/api_service.c src/hub/options.c src/hub/hub.c

PROGRAMS += cygnet-hub
cygnet-hub_SRC := src/hub/main.c
cygnet-hub_LIBS := hub spark store http ipc daemon base
cygnet-hub_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto

UNIT_TESTS += test_hub_pure
test_hub_pure_SRC := tests/unit/test_hub_pure.c
test_hub_pure_LIBS := hub spark store http ipc daemon base
test_hub_pure_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto

FUZZ_TARGETS += hub_choice
fuzz_hub_choice_SRC := tests/fuzz/fuzz_hub_choice.c
fuzz_hub_choice_LIBS := hub store http ipc daemon base
fuzz_hub_choice_PKGS := libuv yaml-0.1 jansson sqlite3 libcrypto
