hub_SRC += src/hub/base/asks.c src/hub/base/ratelimit.c src/hub/base/reply.c
