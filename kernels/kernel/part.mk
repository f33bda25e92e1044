ARCHIVES += kernel
kernel_SRC := kernels/kernel/wsbuf.c kernels/kernel/outq.c kernels/kernel/ws.c kernels/kernel/ws_reader.c \
	kernels/kernel/wire.c kernels/kernel/kmsg.c kernels/kernel/kmsg_parse.c kernels/kernel/zsock.c \
	kernels/kernel/connfile.c kernels/kernel/specs.c kernels/kernel/specs_api.c kernels/kernel/env.c \
	kernels/kernel/kernels.c kernels/kernel/start.c kernels/kernel/bridge.c kernels/kernel/tab.c \
	kernels/kernel/kernels_api.c kernels/kernel/nbsessions.c kernels/kernel/nbsessions_api.c
