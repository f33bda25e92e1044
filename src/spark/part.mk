ARCHIVES += spark
spark_SRC := src/spark/render.c src/spark/files.c src/spark/catalogue.c src/spark/policy.c \
	src/spark/plan.c src/spark/jvms.c src/spark/session.c src/spark/session_json.c src/spark/words.c \
	src/spark/jsonread.c src/spark/bundles.c src/spark/options.c src/spark/chosen.c src/spark/lint.c

UNIT_TESTS += test_spark_render
test_spark_render_SRC := tests/unit/spark/test_spark_render.c
test_spark_render_LIBS := spark base
test_spark_render_PKGS := check

UNIT_TESTS += test_spark_catalogue
test_spark_catalogue_SRC := tests/unit/spark/test_spark_catalogue.c
test_spark_catalogue_LIBS := spark daemon base
test_spark_catalogue_PKGS := check yaml-0.1

UNIT_TESTS += test_spark_words
test_spark_words_SRC := tests/unit/spark/test_spark_words.c
test_spark_words_LIBS := spark base
test_spark_words_PKGS := check

UNIT_TESTS += test_spark_plan
test_spark_plan_SRC := tests/unit/spark/test_spark_plan.c
test_spark_plan_LIBS := spark daemon base
test_spark_plan_PKGS := check yaml-0.1 jansson

UNIT_TESTS += test_spark_chosen
test_spark_chosen_SRC := tests/unit/spark/test_spark_chosen.c
test_spark_chosen_LIBS := spark daemon base
test_spark_chosen_PKGS := check yaml-0.1 jansson

UNIT_TESTS += test_spark_lint
test_spark_lint_SRC := tests/unit/spark/test_spark_lint.c
test_spark_lint_LIBS := spark daemon base
test_spark_lint_PKGS := check yaml-0.1 jansson

FUZZ_TARGETS += spark_bundles
fuzz_spark_bundles_SRC := tests/fuzz/fuzz_spark_bundles.c
fuzz_spark_bundles_LIBS := spark daemon base
fuzz_spark_bundles_PKGS := yaml-0.1 jansson

FUZZ_TARGETS += spark_options
fuzz_spark_options_SRC := tests/fuzz/fuzz_spark_options.c
fuzz_spark_options_LIBS := spark daemon base
fuzz_spark_options_PKGS := yaml-0.1 jansson

FUZZ_TARGETS += spark_chosen
fuzz_spark_chosen_SRC := tests/fuzz/fuzz_spark_chosen.c
fuzz_spark_chosen_LIBS := spark daemon base
fuzz_spark_chosen_PKGS := yaml-0.1 jansson

FUZZ_TARGETS += spark_words
fuzz_spark_words_SRC := tests/fuzz/fuzz_spark_words.c
fuzz_spark_words_LIBS := spark base

FUZZ_TARGETS += catalogue
fuzz_catalogue_SRC := tests/fuzz/fuzz_catalogue.c
fuzz_catalogue_LIBS := spark daemon base
fuzz_catalogue_PKGS := yaml-0.1
