ARCHIVES += terminal
terminal_SRC := kernels/terminal/ring.c kernels/terminal/terminal.c kernels/terminal/client.c \
	kernels/terminal/terminals_api.c
