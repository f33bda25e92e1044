hub_SRC += src/hub/api/api.c src/hub/api/api_activity.c src/hub/api/api_hand_over.c src/hub/api/api_server.c \
	src/hub/api/api_service.c src/hub/api/api_site.c src/hub/api/api_spark.c src/hub/api/api_spark_page.c src/hub/api/api_spark_report.c src/hub/api/spark_report.c src/hub/api/spark_audit.c src/hub/api/spark_connect.c src/hub/api/spark_views.c src/hub/api/api_stat.c \
	src/hub/api/api_tokens.c src/hub/api/api_user.c src/hub/api/api_users.c \
	src/hub/api/kernel_rows.c src/hub/api/pages.c src/hub/api/pages_lost.c

UNIT_TESTS += test_api_alone
test_api_alone_SRC := tests/unit/hub/test_api_alone.c tests/unit/http/http_rig.c
test_api_alone_LIBS := hub spark store oidc httpmhd http ipc daemon base
test_api_alone_PKGS := check libuv yaml-0.1 jansson sqlite3 libcrypto libcurl libmicrohttpd
