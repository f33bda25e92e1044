ARCHIVES += kernel
kernel_SRC := kernels/kernel/wire.c kernels/kernel/kmsg.c kernels/kernel/kmsg_parse.c kernels/kernel/zsock.c \
	kernels/kernel/connfile.c kernels/kernel/specs.c kernels/kernel/specs_api.c \
	kernels/kernel/lookup.c kernels/kernel/kernels.c kernels/kernel/launch.c kernels/kernel/start.c \
	kernels/kernel/bridge.c kernels/kernel/tab.c kernels/kernel/kernels_api.c \
	kernels/kernel/nbsessions.c kernels/kernel/nbsessions_api.c

UNIT_TESTS += test_kernel_wire
test_kernel_wire_SRC := tests/unit/kernels/test_kernel_wire.c
test_kernel_wire_LIBS := kernel kbase base
test_kernel_wire_PKGS := check libcrypto

UNIT_TESTS += test_zsock
test_zsock_SRC := tests/unit/kernels/test_zsock.c
test_zsock_LIBS := kernel daemon base
test_zsock_PKGS := check libzmq libuv

FUZZ_TARGETS += ws_v1 ws_json wire
fuzz_ws_v1_SRC := tests/fuzz/fuzz_ws_v1.c
fuzz_ws_v1_LIBS := kernel kbase base
fuzz_ws_v1_PKGS := libcrypto
fuzz_ws_json_SRC := tests/fuzz/fuzz_ws_json.c
fuzz_ws_json_LIBS := kernel kbase base
fuzz_ws_json_PKGS := libcrypto
fuzz_wire_SRC := tests/fuzz/fuzz_wire.c
fuzz_wire_LIBS := kernel kbase base
fuzz_wire_PKGS := libcrypto
