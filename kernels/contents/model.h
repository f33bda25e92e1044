/* Contents models: what the API says about a file or folder (filemanager.py _base_model). */
#ifndef CONTENTS_MODEL_H
#define CONTENTS_MODEL_H

#include "kernels/contents/path.h"
#include "kernels/contents/state.h"

enum model_type { MODEL_FILE, MODEL_NOTEBOOK, MODEL_DIRECTORY };

struct model {
	const char *path; /* of the API */
	enum model_type type;
	struct stat st; /* of what a link points to; of the link itself when it is broken */
	bool writable;
	const char *mimetype; /* NULL: none known */
	const char *format;   /* NULL without content */
	const char *hash;     /* NULL when not asked for */
	const char *message;  /* of failed validation, or NULL */
};

enum model_type model_type_of(const char *name, mode_t mode);
/* Looks at a path on disk. False when it is not there (errno says why). */
bool model_stat(struct model *m, const char *path, const char *disk);
/* Writes all members except content; the caller writes that after them and ends the object. */
void model_begin(struct jsonw *w, const struct model *m);
/* The whole model without content. */
void model_write(struct jsonw *w, const struct model *m);
/* Responds with the model of a path without content, and with Location when it was written to. */
void model_answer(struct job *job, const char *path, const char *message, bool location);
/* Last-Modified and Location. */
void model_fields(struct job *job, const struct model *m, bool location);
/* The works of the endpoints in contents.c, by file. */
void get_work(struct job *job);
/* SHA-256 of an open file, from the cache or by reading it. */
int model_hash(struct job *job, int fd, const struct stat *st, char hex[DIGEST_HEX]);
/* The whole file; the job has failed otherwise. */
int model_read(
    struct job *job, const char *disk, const char *path, struct cyg_buf *out, struct stat *st);

#endif
