ARCHIVES += kernel
kernel_SRC := kernels/kernel/wsbuf.c kernels/kernel/outq.c kernels/kernel/ws.c kernels/kernel/ws_reader.c \
	kernels/kernel/wire.c kernels/kernel/kmsg.c kernels/kernel/kmsg_parse.c kernels/kernel/zsock.c \
	kernels/kernel/connfile.c
