/* The names of user and server, from the base URL. */
#ifndef AGENT_NAMES_H
#define AGENT_NAMES_H

#include "cygnet/err.h"

struct names {
	char *user;   /* NULL: the URL is not one of a hub */
	char *server; /* "": the user's default one */
};

/* "/user/NAME" or "/user/NAME/SERVER", with or without a closing slash; escapes are decoded. */
void names_read(const char *base_url, struct names *ret);
void names_free(struct names *n);

#endif
