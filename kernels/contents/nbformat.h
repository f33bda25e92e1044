/* Notebooks (nbformat 4): reading any version from 2 up, and the three forms they are written in.
 * The file form is byte for byte what Python's nbformat.write produces. Follows nbformat 5.11:
 * v4/rwbase.py, v4/nbjson.py, validator.py (ids), sign.py (the signed form). */
#ifndef CONTENTS_NBFORMAT_H
#define CONTENTS_NBFORMAT_H

#include "kernels/base/tape.h"

enum nb_form {
	NB_FILE,   /* indented, keys sorted, multi-line strings split into lists */
	NB_CLIENT, /* compact, multi-line strings joined, metadata.trusted set */
	NB_SIGNED, /* the bytes that go into the trust signature */
};

enum { NB_ID_SIZE = 9 };

struct nb_opts {
	enum nb_form form;
	bool join;      /* NB_FILE: lists of lines are joined before they are split again, as a read
			   followed by a write does */
	bool trusted;   /* NB_CLIENT: what code cells are marked with */
	bool keep_orig; /* not NB_FILE: metadata.orig_nbformat stays (the notebook was upgraded) */
	/* Makes ids for cells without one; NULL: random. */
	void (*new_id)(void *arg, char id[NB_ID_SIZE]);
	void *arg;
};

/* A notebook read from its file's text. */
struct nb_doc {
	struct tape *tape;
	tape_node root;
	int minor;
	bool upgraded;   /* it was version 2 or 3 and is version 4 here */
	char *upgraded_; /* private: text the tape points into */
};

/* Parses, upgrades from versions 2 and 3 (of opts only new_id matters), checks the shape. text must
 * outlive the document. -CYG_EINVAL with a message that names line and column, or what is missing.
 */
int nb_read(
    struct cyg_str text, const struct nb_opts *opts, struct nb_doc *ret, struct cyg_err *err);
void nb_doc_close(struct nb_doc *doc);
/* Checks that a value is a version 4 notebook in shape: what nb_write relies on, and what Python
 * would stop at (cells and metadata there and of the right types). */
int nb_check_shape(const struct tape *t, tape_node root, struct cyg_err *err);
/* Appends the notebook, which passed nb_check_shape, in a form. NB_FILE ends with a newline. */
int nb_write(const struct tape *t, tape_node root, const struct nb_opts *opts, struct cyg_buf *out,
    struct cyg_err *err);
/* nbformat_minor, 0 when it is not there. */
int nb_minor(const struct tape *t, tape_node root);
/* True when every code cell is marked trusted or has no rich output (sign.py check_cells). */
bool nb_cells_are_trusted(const struct tape *t, tape_node root);
/* The first rule of the version 4 schema that the notebook breaks, as a sentence in *out; false
 * when it is valid. */
bool nb_find_problem(const struct tape *t, tape_node root, struct cyg_buf *out);
/* A version 2 or 3 notebook as version 4.5 JSON (nbformat v4/convert.py). */
int nb_upgrade(const struct tape *t, tape_node root, const struct nb_opts *opts,
    struct cyg_buf *out, struct cyg_err *err);
/* The text of an empty version 4.5 notebook, as new_notebook() makes it. */
struct cyg_str nb_empty(void);

#endif
