hub_SRC += src/hub/base/asks.c src/hub/base/ratelimit.c src/hub/base/reply.c \
	src/hub/base/webfiles.c src/hub/base/secret.c src/hub/base/hub_metrics.c src/hub/base/metrics_requests.c
