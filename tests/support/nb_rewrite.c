/* Test program: rewrites notebooks as a read followed by a write does. For each file named on the
 * command line it writes FILE.out (the notebook), or FILE.err (why it cannot be read), and FILE.bad
 * when the notebook breaks the schema. --form client|signed chooses another form. Ids that are made
 * count up: 00000001, 00000002, … in each file. */
#include "base/file.h"
#include "base/mem.h"
#include "kernels/contents/nbformat.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { FILE_MAX = 1 << 29 };

static void count_id(void *arg, char id[NB_ID_SIZE])
{
	unsigned *n = arg;
	(void)snprintf(id, NB_ID_SIZE, "%08x", ++*n);
}

static int save(const char *path, const char *suffix, struct cyg_str data)
{
	struct cyg_err err;
	cyg_autofree char *name = cyg_xasprintf("%s%s", path, suffix);
	if (cyg_file_write(AT_FDCWD, name, data, 0644, &err) == 0)
		return 0;
	(void)fprintf(stderr, "%s: %s\n", name, err.msg);
	return -1;
}

static int rewrite(const char *path, enum nb_form form)
{
	cyg_autobuf struct cyg_buf text, out, bad;
	unsigned ids = 0;
	struct nb_opts opts = { .form = form, .join = true, .new_id = count_id, .arg = &ids };
	struct nb_doc doc;
	struct cyg_err err;
	cyg_buf_init(&text, FILE_MAX);
	cyg_buf_init(&out, FILE_MAX);
	cyg_buf_init(&bad, FILE_MAX);
	if (cyg_file_read(AT_FDCWD, path, true, &text, &err) < 0) {
		(void)fprintf(stderr, "%s: %s\n", path, err.msg);
		return -1;
	}
	if (nb_read(cyg_buf_str(&text), &opts, &doc, &err) < 0)
		return save(path, ".err", cyg_str_of(err.msg));
	opts.keep_orig = doc.upgraded;
	int r = nb_write(doc.tape, doc.root, &opts, &out, &err);
	bool invalid = nb_find_problem(doc.tape, doc.root, &bad);
	nb_doc_close(&doc);
	if (r < 0)
		return save(path, ".err", cyg_str_of(err.msg));
	if (invalid && save(path, ".bad", cyg_buf_str(&bad)) < 0)
		return -1;
	return save(path, ".out", cyg_buf_str(&out));
}

int main(int argc, char **argv)
{
	enum nb_form form = NB_FILE;
	int failed = 0, first = 1;
	if (argc > 2 && strcmp(argv[1], "--form") == 0) {
		form = strcmp(argv[2], "client") == 0 ? NB_CLIENT : NB_SIGNED;
		first = 3;
	}
	for (int i = first; i < argc; i++)
		failed |= rewrite(argv[i], form);
	return failed == 0 ? 0 : 1;
}
