ARCHIVES += spawner_sandbox
spawner_sandbox_SRC := spawner/sandbox/seccomp.c spawner/sandbox/bwrap.c spawner/sandbox/bwrap_system.c \
	spawner/sandbox/sandbox.c spawner/sandbox/probe.c
PROGRAMS += cygnet-spawner-sandbox
cygnet-spawner-sandbox_SRC := spawner/sandbox/main.c
cygnet-spawner-sandbox_LIBS := spawner_sandbox spawner_process spawner_local spawner_core ipc daemon base
cygnet-spawner-sandbox_PKGS := libuv yaml-0.1 libseccomp
