ARCHIVES += agent
agent_SRC := kernels/agent/hello.c kernels/agent/relay.c kernels/agent/relay_pump.c
PROGRAMS += cygnet-agent
cygnet-agent_SRC := kernels/agent/main.c
cygnet-agent_LIBS := agent ipc daemon base
cygnet-agent_PKGS := libuv yaml-0.1
