ARCHIVES += kspark
kspark_SRC := kernels/spark/spark.c kernels/spark/spark_files.c kernels/spark/spark_daemons.c \
	kernels/spark/up_client.c
$(B)/obj/kernels/spark/spark_files.o: kernels/python/cygnet_spark.py
