ARCHIVES += ipc
ipc_SRC := src/ipc/channel.c $(wildcard src/ipc/spawn_codec.c)
