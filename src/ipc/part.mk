ARCHIVES += ipc
ipc_SRC := src/ipc/channel.c $(wildcard src/ipc/spawn_codec.c)
UNIT_TESTS += test_spawn_msg
test_spawn_msg_SRC := tests/unit/ipc/test_spawn_msg.c
test_spawn_msg_LIBS := ipc base
test_spawn_msg_PKGS := check libuv
