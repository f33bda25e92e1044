ARCHIVES += agent
agent_SRC := kernels/agent/relay.c kernels/agent/relay_pump.c kernels/agent/agent.c kernels/agent/api.c \
	kernels/agent/documents.c kernels/agent/names.c kernels/agent/hub_link.c \
	kernels/agent/runtime.c
PROGRAMS += cygnet-agent
cygnet-agent_SRC := kernels/agent/main.c
cygnet-agent_LIBS := agent kspark kernel terminal pages contents kbase http ipc daemon base
cygnet-agent_PKGS := libuv yaml-0.1 libzmq libcrypto wslay sqlite3 zlib

UNIT_TESTS += test_parts_alone
test_parts_alone_SRC := tests/unit/kernels/test_parts_alone.c tests/unit/http/http_rig.c
test_parts_alone_LIBS := kernel terminal contents kbase http ipc daemon base
test_parts_alone_PKGS := check libuv yaml-0.1 libzmq libcrypto wslay sqlite3 zlib
