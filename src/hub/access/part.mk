hub_SRC += src/hub/access/people.c src/hub/access/sessions.c src/hub/access/secret.c \
	src/hub/access/auth.c
