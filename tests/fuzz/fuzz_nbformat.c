/* Fuzz target: notebooks. What can be read can be written in every form; the file form, read and
 * written again, stays the same; the client form is JSON. */
#include "base/mem.h"
#include "kernels/contents/nbformat.h"

#include <assert.h>
#include <string.h>

enum { OUT_MAX = 1 << 26 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same_id(void *arg, char id[NB_ID_SIZE])
{
	(void)arg;
	memcpy(id, "abcdef01", NB_ID_SIZE);
}

static int write_form(const struct nb_doc *doc, enum nb_form form, struct cyg_buf *out)
{
	struct nb_opts opts = { .form = form, .join = true, .new_id = same_id };
	return nb_write(doc->tape, doc->root, &opts, out, NULL);
}

static void check_again(struct cyg_str once)
{
	static const struct nb_opts opts = { .new_id = same_id };
	cyg_autobuf struct cyg_buf twice;
	struct nb_doc doc;
	cyg_buf_init(&twice, OUT_MAX);
	assert(nb_read(once, &opts, &doc, NULL) == 0);
	if (write_form(&doc, NB_FILE, &twice) == 0)
		assert(cyg_str_same(once, cyg_buf_str(&twice)));
	nb_doc_close(&doc);
}

static void check_json(struct cyg_str text)
{
	struct tape *t = NULL;
	assert(tape_parse(text, &t, NULL, NULL) == 0);
	tape_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct nb_opts opts = { .new_id = same_id };
	cyg_autobuf struct cyg_buf file, client, sign, bad;
	struct nb_doc doc;
	struct cyg_err err = { 0 };
	cyg_buf_init(&file, OUT_MAX);
	cyg_buf_init(&client, OUT_MAX);
	cyg_buf_init(&sign, OUT_MAX);
	cyg_buf_init(&bad, OUT_MAX);
	char *text = cyg_xstrndup((const char *)data, size);
	if (nb_read((struct cyg_str){ text, size }, &opts, &doc, &err) < 0) {
		assert(err.msg[0] != '\0');
		free(text);
		return 0;
	}
	if (write_form(&doc, NB_FILE, &file) == 0)
		check_again(cyg_buf_str(&file));
	if (write_form(&doc, NB_CLIENT, &client) == 0)
		check_json(cyg_buf_str(&client));
	(void)write_form(&doc, NB_SIGNED, &sign);
	(void)nb_find_problem(doc.tape, doc.root, &bad);
	(void)nb_cells_are_trusted(doc.tape, doc.root);
	nb_doc_close(&doc);
	free(text);
	return 0;
}
