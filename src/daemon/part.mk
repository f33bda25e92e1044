ARCHIVES += daemon
daemon_SRC := src/daemon/log.c src/daemon/loop.c src/daemon/yaml.c src/daemon/options.c \
	src/daemon/options_help.c src/daemon/unixsock.c src/daemon/listen_fds.c
