/* Kernel specifications: which kernels there are, and how each is started. Folders are read anew at
 * each request, because a site's software and a user's own kernels change; they are small. */
#ifndef KERNEL_SPECS_H
#define KERNEL_SPECS_H

#include "base/str.h"
#include "cygnet/err.h"

#include <stdbool.h>

enum { SPECS_MAX = 256, SPEC_FILE_MAX = 256 * 1024, SPEC_WORDS_MAX = 64 };

struct spec {
	char *name;   /* lower case */
	char *folder; /* that holds kernel.json */
	char *json;   /* kernel.json as it stands */
	char *argv[SPEC_WORDS_MAX + 1];
	char **env; /* "NAME=value", ended by NULL; values not yet expanded */
	char *display_name, *language;
	char **resources; /* "logo-64x64.png", ended by NULL */
	bool by_message;  /* interrupt_mode "message" */
};

/* Where to look, in order; the first that has a name wins. */
struct specs_path {
	char **folders; /* "…/kernels", ended by NULL */
};

/* prefixes: of stacks, then of Jupyter; jupyter_path: JUPYTER_PATH of the setup environment or
 * NULL; home: or NULL. */
struct specs_path specs_path_new(
    const char *const *stacks, const char *jupyter_path, const char *home, const char *jupyter);
void specs_path_free(struct specs_path *path);

struct specs {
	struct spec *list[SPECS_MAX];
	size_t n;
};

/* All valid ones, by name. Broken ones are left out. */
void specs_read(const struct specs_path *path, struct specs *ret);
void specs_free(struct specs *specs);
/* One by name (any case). -CYG_ENOENT. The caller frees it. */
int specs_find(
    const struct specs_path *path, const char *name, struct spec **ret, struct cyg_err *err);
void spec_free(struct spec *s);
/* True for 1 to 63 of [a-z0-9._-] (jupyter_client's rule). */
bool specs_name_is_ok(struct cyg_str name);
/* The kernel when none was chosen: "python3" when there is one, else the first, else NULL. */
const char *specs_default(const struct specs *specs);

/* The program for argv[0]. A bare python, python3, python3.x is looked for beside the
 * specification: …/share/jupyter/kernels/NAME means …/bin. Anything else bare is looked for in
 * search_path (PATH of the setup environment). The caller frees the result; the word itself when
 * nothing was found. */
char *spec_program(const struct spec *s, const char *search_path);
/* Whether this kernel is known to speak over ipc: sockets. */
bool spec_has_ipc(const struct spec *s);

#endif
