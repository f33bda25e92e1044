ARCHIVES += spark
spark_SRC := src/spark/render.c src/spark/files.c src/spark/catalogue.c

UNIT_TESTS += test_spark_render
test_spark_render_SRC := tests/unit/test_spark_render.c
test_spark_render_LIBS := spark base
test_spark_render_PKGS := check
