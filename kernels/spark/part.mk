ARCHIVES += kspark
kspark_SRC := kernels/spark/spark.c kernels/spark/stack.c kernels/spark/package.c \
	kernels/spark/spark_files.c kernels/spark/spark_daemons.c kernels/spark/up_client.c
$(B)/obj/kernels/spark/spark_files.o: kernels/python/cygnet_spark.py

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
