ARCHIVES += spark
spark_SRC := src/spark/render.c src/spark/files.c src/spark/catalogue.c

UNIT_TESTS += test_spark_render
test_spark_render_SRC := tests/unit/spark/test_spark_render.c
test_spark_render_LIBS := spark base
test_spark_render_PKGS := check

UNIT_TESTS += test_spark_catalogue
test_spark_catalogue_SRC := tests/unit/spark/test_spark_catalogue.c
test_spark_catalogue_LIBS := spark daemon base
test_spark_catalogue_PKGS := check yaml-0.1

FUZZ_TARGETS += catalogue
fuzz_catalogue_SRC := tests/fuzz/fuzz_catalogue.c
fuzz_catalogue_LIBS := spark daemon base
fuzz_catalogue_PKGS := yaml-0.1
