PROGRAMS += cygnet-init
cygnet-init_SRC := spawner/init/main.c spawner/init/script.c spawner/init/env.c spawner/init/children.c
