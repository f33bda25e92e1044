/* Replaces places. */
#include "kernels/spark/fill.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum { TEXT_MAX = 1024 * 1024 };

void fill_init(struct fill *f)
{
	*f = (struct fill){ .n = 0 };
}

static void cleanse(char *value)
{
	cyg_cleanse(value, strlen(value));
	free(value);
}

/* The copy comes first: the value may be the one that goes. */
void fill_set(struct fill *f, const char *place, const char *value)
{
	char *copy = cyg_xstrdup(value);

	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->list[i].place, place) != 0)
			continue;
		cleanse(f->list[i].value);
		f->list[i].value = copy;
		return;
	}
	if (f->n == FILL_MAX || strlen(place) >= FILL_PLACE_SIZE)
		abort(); /* our mistake */
	(void)cyg_str_copy(f->list[f->n].place, FILL_PLACE_SIZE, cyg_str_of(place));
	f->list[f->n++].value = copy;
}

void fill_set_port(struct fill *f, const char *place, unsigned port)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", port);
	fill_set(f, place, text);
}

const char *fill_get(const struct fill *f, const char *place)
{
	for (size_t i = 0; i < f->n; i++) {
		if (strcmp(f->list[i].place, place) == 0)
			return f->list[i].value;
	}
	return NULL;
}

void fill_copy(struct fill *to, const struct fill *from)
{
	for (size_t i = 0; i < from->n; i++)
		fill_set(to, from->list[i].place, from->list[i].value);
}

void fill_free(struct fill *f)
{
	for (size_t i = 0; i < f->n; i++)
		cleanse(f->list[i].value);
	f->n = 0;
}

/* The entry whose place stands at the beginning of text, or NULL. */
static const char *value_at(const struct fill *f, struct cyg_str text, size_t *len)
{
	for (size_t i = 0; i < f->n; i++) {
		if (!cyg_str_starts(text, f->list[i].place))
			continue;
		*len = strlen(f->list[i].place);
		return f->list[i].value;
	}
	return NULL;
}

static int check_unknown(struct cyg_str text, struct cyg_err *err)
{
	if (!cyg_str_starts(text, "{port.") && !cyg_str_starts(text, "{secret."))
		return 0;
	text.len = cyg_str_chr(text, '}') < 60 ? cyg_str_chr(text, '}') : 60;
	return cyg_fail(err, CYG_EPROTO,
	    "the hub's response names %.*s}, which this server does not know: it was started by another version of Cygnet",
	    CYG_STR_ARGS(text));
}

int fill_text(const struct fill *f, struct cyg_str text, struct cyg_buf *out, struct cyg_err *err)
{
	int rc = 0;

	while (rc == 0 && text.len > 0) {
		const size_t plain = cyg_str_chr(text, '{');
		const char *value;
		size_t len = 0;

		rc = cyg_buf_add(out, text.p, plain, err);
		text = cyg_str_skip(text, plain);
		if (rc < 0 || text.len == 0)
			break;
		value = value_at(f, text, &len);
		if (value != NULL)
			rc = cyg_buf_add_str(out, value, err);
		else
			rc = check_unknown(text, err);
		if (rc == 0 && value == NULL)
			rc = cyg_buf_add(out, text.p, len = 1, err);
		text = cyg_str_skip(text, len);
	}
	return rc;
}

char *fill_new(const struct fill *f, const char *text, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf out;
	int rc;

	cyg_buf_init(&out, TEXT_MAX);
	rc = fill_text(f, cyg_str_of(text), &out, err);
	if (rc == 0)
		return out.len > 0 ? cyg_buf_take(&out, NULL) : cyg_xstrdup("");
	cyg_cleanse(out.data, out.len);
	return NULL;
}
