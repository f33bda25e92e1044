ARCHIVES += kbase
kbase_SRC := kernels/base/tape.c kernels/base/jsonw.c kernels/base/utf8.c kernels/base/pyjson.c \
	kernels/base/digest.c kernels/base/gzip.c kernels/base/job.c kernels/base/reply.c kernels/base/env.c \
	kernels/base/hello.c kernels/base/init_link.c kernels/base/events.c \
	kernels/base/wsbuf.c kernels/base/outq.c kernels/base/ws.c kernels/base/ws_reader.c

UNIT_TESTS += test_tape
test_tape_SRC := tests/unit/kernels/test_tape.c
test_tape_LIBS := kbase base
test_tape_PKGS := check

UNIT_TESTS += test_ws_queue
test_ws_queue_SRC := tests/unit/kernels/test_ws_queue.c
test_ws_queue_LIBS := kbase base
test_ws_queue_PKGS := check wslay

FUZZ_TARGETS += json_tape ws_frame
fuzz_json_tape_SRC := tests/fuzz/fuzz_json_tape.c
fuzz_json_tape_LIBS := kbase base
fuzz_ws_frame_SRC := tests/fuzz/fuzz_ws_frame.c
fuzz_ws_frame_LIBS := kbase base
fuzz_ws_frame_PKGS := wslay
