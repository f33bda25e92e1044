/* User options: what was chosen on the start form. Read from JSON, checked against what is offered,
 * written back as JSON and as one line of words. Pure. */
#ifndef HUB_CHOICE_H
#define HUB_CHOICE_H

#include "hub/offer/profiles.h"

#include <jansson.h>

enum { CHOICE_LINE_SIZE = 320 };

struct choice {
	char profile[CYG_NAME_MAX];
	char stack[CYG_NAME_MAX];
	uint32_t cores;
	uint32_t memory_mb;
	char cluster[CYG_NAME_MAX];     /* "": none */
	char user_script[CYG_PATH_MAX]; /* path below the home, "": none */
	bool home_packages;
};

/* Reads user options; an option that is missing takes the profile's default. On failure *field is
 * the name of the wrong option (a literal). The options may come from a browser or from the store:
 * both are checked in the same way. */
int choice_read(const json_t *options, const struct profiles *p, struct choice *ret,
    const char **field, struct cyg_err *err);
/* A profile's own defaults. */
void choice_default(const struct profiles *p, const struct profile *f, struct choice *ret);
/* A new object: {"profile", "stack", "cores", ...}. */
json_t *choice_json(const struct choice *c);
/* "2026a · Python, R · 2 cores · 4 GB · Spark on nxcals". */
void choice_line(const struct choice *c, const struct profiles *p, char out[CHOICE_LINE_SIZE]);

#endif
