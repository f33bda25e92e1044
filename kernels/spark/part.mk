ARCHIVES += kspark
kspark_SRC := $(addprefix kernels/spark/,spark.c fill.c answer.c stack.c package.c archive.c archive_key.c archive_room.c spark_files.c up.c up_client.c module_api.c connections_api.c want.c choices.c python_path.c \
	sessions.c session.c session_ask.c session_driver.c session_idle.c session_json.c jws.c \
	monitor.c monitor_cells.c monitor_keep.c monitor_look.c rest.c monitor_count.c report.c ui_proxy.c session_record.c session_wait.c driver_log.c \
	cluster.c cluster_daemons.c cluster_files.c jvm.c ports.c files.c hub_ask.c)

# The Python package as data: each file after a line with its name and its length. The folder is
# named too, because a file that goes changes nothing else.
spark_package := $(sort $(wildcard kernels/python/cygnet_spark/*.py))
$(B)/obj/kernels/spark/package.bin: kernels/python/cygnet_spark $(spark_package) kernels/spark/part.mk
	@mkdir -p $(@D)
	$(Q)for file in $(spark_package); do \
		printf '%s %s\n' "$${file##*/}" "$$(stat -c %s "$$file")" && cat "$$file" || exit 1; \
	done >$@.tmp && mv $@.tmp $@
# Through the compiler, so that the object has the same marks as all others.
$(B)/obj/kernels/spark/package_data.o: $(B)/obj/kernels/spark/package.bin
	$(Q)printf '__asm__(".section .rodata\\n.global spark_package_start\\nspark_package_start:\\n.incbin \\"%s\\"\\n'\
	'.global spark_package_end\\nspark_package_end:\\n.byte 0\\n.text\\n"); extern int unit;\n' $< | \
		$(CC) $(CFLAGS) -x c -c -o $@ -
$(B)/lib/libkspark.a: $(B)/obj/kernels/spark/package_data.o

UNIT_TESTS += test_spark_stack
test_spark_stack_SRC := tests/unit/kernels/test_spark_stack.c tests/unit/base/tmp_folder.c
test_spark_stack_LIBS := kspark base
test_spark_stack_PKGS := check

UNIT_TESTS += test_spark_package
test_spark_package_SRC := tests/unit/kernels/test_spark_package.c tests/unit/base/tmp_folder.c
test_spark_package_LIBS := kspark base
test_spark_package_PKGS := check

UNIT_TESTS += test_spark_answer
test_spark_answer_SRC := tests/unit/kernels/test_spark_answer.c tests/unit/base/tmp_folder.c
test_spark_answer_LIBS := kspark kbase base
test_spark_answer_PKGS := check

FUZZ_TARGETS += spark_answer
fuzz_spark_answer_SRC := tests/fuzz/fuzz_spark_answer.c
fuzz_spark_answer_LIBS := kspark kbase base

UNIT_TESTS += test_spark_rest
test_spark_rest_SRC := tests/unit/kernels/test_spark_rest.c
test_spark_rest_LIBS := kspark kbase http daemon ipc base
test_spark_rest_PKGS := check libuv libcrypto

FUZZ_TARGETS += spark_rest
fuzz_spark_rest_SRC := tests/fuzz/fuzz_spark_rest.c
fuzz_spark_rest_LIBS := kspark kbase http daemon ipc base
fuzz_spark_rest_PKGS := libuv libcrypto

UNIT_TESTS += test_spark_archive
test_spark_archive_SRC := tests/unit/kernels/test_spark_archive.c tests/unit/base/tmp_folder.c
test_spark_archive_LIBS := kspark kbase http ipc daemon base
test_spark_archive_PKGS := check libuv yaml-0.1 libcrypto wslay zlib

TEST_PROGRAMS += spark_monitor_server
spark_monitor_server_SRC := tests/support/spark_monitor_server.c
spark_monitor_server_LIBS := kspark kbase http ipc daemon base
spark_monitor_server_PKGS := libuv libcrypto wslay zlib yaml-0.1
