ARCHIVES += spawner_core
spawner_core_SRC := spawner/core/policy.c spawner/core/policy_check.c spawner/core/uids.c \
	spawner/core/uids_lookup.c spawner/core/cgroup.c spawner/core/cgroup_find.c \
	spawner/core/process.c spawner/core/record.c spawner/core/folders.c spawner/core/launch.c \
	spawner/core/server.c spawner/core/output.c spawner/core/start.c spawner/core/end.c \
	spawner/core/adopt.c spawner/core/hubs.c spawner/core/spawner.c
TEST_PROGRAMS += cygnet-spawner-fault
cygnet-spawner-fault_SRC := tests/fakes/spawner_fault.c
cygnet-spawner-fault_LIBS := spawner_core ipc daemon base
cygnet-spawner-fault_PKGS := libuv yaml-0.1
UNIT_TESTS += test_spawner_policy test_spawner_parts
test_spawner_policy_SRC := tests/unit/test_spawner_policy.c
test_spawner_policy_LIBS := spawner_core ipc daemon base
test_spawner_policy_PKGS := check libuv yaml-0.1
test_spawner_parts_SRC := tests/unit/test_spawner_parts.c
test_spawner_parts_LIBS := spawner_core ipc daemon base
test_spawner_parts_PKGS := check libuv yaml-0.1
FUZZ_TARGETS += ipc_messages
fuzz_ipc_messages_SRC := tests/fuzz/fuzz_ipc_messages.c
fuzz_ipc_messages_LIBS := spawner_core ipc daemon base
fuzz_ipc_messages_PKGS := libuv yaml-0.1
