ARCHIVES += kspark
kspark_SRC := kernels/spark/spark.c kernels/spark/stack.c kernels/spark/spark_files.c \
	kernels/spark/spark_daemons.c kernels/spark/up_client.c
$(B)/obj/kernels/spark/spark_files.o: kernels/python/cygnet_spark.py

UNIT_TESTS += test_spark_stack
test_spark_stack_SRC := tests/unit/kernels/test_spark_stack.c tests/unit/base/tmp_folder.c
test_spark_stack_LIBS := kspark base
test_spark_stack_PKGS := check
