ARCHIVES += http
http_SRC := src/http/text.c src/http/head_parse.c src/http/head_check.c src/http/head_write.c \
	src/http/body.c src/http/url.c src/http/cookie.c src/http/ws.c src/http/sha1.c
