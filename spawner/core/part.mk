ARCHIVES += spawner_core
spawner_core_SRC := spawner/core/policy.c spawner/core/policy_check.c spawner/core/server.c \
	spawner/core/requests.c spawner/core/events.c spawner/core/hubs.c spawner/core/spawner.c
UNIT_TESTS += test_spawner_policy test_spawner_core
test_spawner_policy_SRC := tests/unit/spawner/test_spawner_policy.c tests/unit/base/tmp_folder.c
test_spawner_policy_LIBS := spawner_core ipc daemon base
test_spawner_policy_PKGS := check libuv yaml-0.1
test_spawner_core_SRC := tests/unit/spawner/test_spawner_core.c
test_spawner_core_LIBS := spawner_core ipc daemon base
test_spawner_core_PKGS := check libuv yaml-0.1
