ARCHIVES += spawner_local
spawner_local_SRC := spawner/local/local.c spawner/local/server.c spawner/local/start.c \
	spawner/local/command.c spawner/local/output.c spawner/local/end.c spawner/local/remove.c \
	spawner/local/adopt.c spawner/local/record.c spawner/local/folders.c spawner/local/uids.c \
	spawner/local/uids_lookup.c spawner/local/cgroup.c spawner/local/cgroup_find.c \
	spawner/local/process.c spawner/local/launch.c \
	spawner/local/binaries.c
TEST_PROGRAMS += cygnet-spawner-fault
cygnet-spawner-fault_SRC := tests/fakes/spawner_fault.c
cygnet-spawner-fault_LIBS := spawner_core spawner_local ipc daemon base
cygnet-spawner-fault_PKGS := libuv yaml-0.1
UNIT_TESTS += test_spawner_parts test_spawner_cgroup test_spawner_uids
test_spawner_uids_SRC := tests/unit/spawner/test_spawner_uids.c tests/unit/base/tmp_folder.c
test_spawner_uids_LIBS := spawner_local spawner_core ipc daemon base
test_spawner_uids_PKGS := check libuv yaml-0.1
test_spawner_parts_SRC := tests/unit/spawner/test_spawner_parts.c tests/unit/base/tmp_folder.c
test_spawner_parts_LIBS := spawner_local spawner_core ipc daemon base
test_spawner_parts_PKGS := check libuv yaml-0.1
test_spawner_cgroup_SRC := tests/unit/spawner/test_spawner_cgroup.c tests/unit/base/tmp_folder.c
test_spawner_cgroup_LIBS := spawner_local spawner_core ipc daemon base
test_spawner_cgroup_PKGS := check libuv yaml-0.1
FUZZ_TARGETS += ipc_messages
fuzz_ipc_messages_SRC := tests/fuzz/fuzz_ipc_messages.c
fuzz_ipc_messages_LIBS := spawner_local spawner_core ipc daemon base
fuzz_ipc_messages_PKGS := libuv yaml-0.1
