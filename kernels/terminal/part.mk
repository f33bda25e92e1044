ARCHIVES += terminal
terminal_SRC := kernels/terminal/ring.c kernels/terminal/terminal.c kernels/terminal/client.c \
	kernels/terminal/terminals_api.c

UNIT_TESTS += test_terminal_ring
test_terminal_ring_SRC := tests/unit/kernels/test_terminal_ring.c kernels/terminal/ring.c
test_terminal_ring_LIBS := base
test_terminal_ring_PKGS := check
