PROGRAMS += cygnetctl
cygnetctl_SRC := src/ctl/main.c src/ctl/up.c src/ctl/up_folders.c src/ctl/up_secrets.c src/ctl/up_child.c \
	src/ctl/doctor.c src/ctl/metrics.c src/ctl/audit.c src/ctl/ask.c src/ctl/hand_over.c
cygnetctl_LIBS := http daemon base
cygnetctl_PKGS := libuv yaml-0.1 jansson openssl
