/* Renders the templates of JupyterLab and Notebook 7. They use nine constructs of Jinja, which are
 * here. Any other construct is an error that quotes it: a new front end needs a change here. */
#include "kernels/pages/priv.h"

#include "base/mem.h"

#include <string.h>

struct render {
	struct cyg_str rest;
	const struct template_vars *vars;
	struct tape *config;
	struct cyg_buf *out;
	struct cyg_err *err;
	char *notebook_page; /* set by the template */
	bool skipping;       /* inside an if that does not hold */
};

/* Text that goes into HTML (markupsafe.escape). */
static int put_escaped(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	static const char from[] = "&<>\"'";
	static const char *const to[] = { "&amp;", "&lt;", "&gt;", "&#34;", "&#39;" };
	int r = 0;
	for (size_t i = 0; r == 0 && i < s.len; i++) {
		const char *at = s.p[i] != '\0' ? strchr(from, s.p[i]) : NULL;
		r = at != NULL ? cyg_buf_add_str(out, to[at - from], err)
			       : cyg_buf_add(out, s.p + i, 1, err);
	}
	return r;
}

/* JSON that goes into a script element (htmlsafe_json_dumps). */
static int put_json(struct cyg_buf *out, struct cyg_str s, struct cyg_err *err)
{
	int r = 0;
	for (size_t i = 0; r == 0 && i < s.len; i++) {
		char c = s.p[i];
		if (c == '<' || c == '>' || c == '&' || c == '\'')
			r = cyg_buf_printf(out, err, "\\u%04x", (unsigned)c);
		else
			r = cyg_buf_add(out, &c, 1, err);
	}
	return r;
}

static int put_config(struct render *r)
{
	cyg_autobuf struct cyg_buf merged;
	cyg_buf_init(&merged, r->out->max);
	cyg_autofree char *over = NULL;
	if (r->notebook_page == NULL)
		return put_json(r->out, r->vars->config, r->err);
	over = cyg_xasprintf("{\"notebookPage\":\"%s\"}", r->notebook_page);
	int e = json_merge(r->vars->config, cyg_str_of(over), &merged, r->err);
	return e < 0 ? e : put_json(r->out, cyg_buf_str(&merged), r->err);
}

static int unknown(struct render *r, struct cyg_str construct)
{
	return cyg_fail(r->err, CYG_EPROTO,
	    "the front end's template has a construct that is not known here: %.*s",
	    construct.len > 80 ? 80 : (int)construct.len, construct.p);
}

/* "page_config.NAME" or "page_config['NAME']", with or without "| e". */
static bool member_name(struct cyg_str expr, struct cyg_str *name)
{
	struct cyg_str s = cyg_str_trim(cyg_str_sub(expr, 0, cyg_str_chr(expr, '|')));
	if (cyg_str_starts(s, "page_config['") && cyg_str_ends(s, "']")) {
		*name = cyg_str_sub(s, 13, s.len - 15);
		return true;
	}
	if (!cyg_str_starts(s, "page_config."))
		return false;
	*name = cyg_str_skip(s, 12);
	return true;
}

static int put_expression(struct render *r, struct cyg_str expr)
{
	struct cyg_str name;
	if (cyg_str_starts(expr, "page_config_full") && cyg_str_ends(expr, "tojson"))
		return put_config(r);
	if (cyg_str_eq(expr, "base_url") || cyg_str_starts(expr, "base_url |"))
		return put_escaped(r->out, cyg_str_of(r->vars->base_url), r->err);
	if (!member_name(expr, &name))
		return unknown(r, expr);
	cyg_autofree char *key = cyg_str_dup(name);
	cyg_autofree char *value = tape_get_str(r->config, tape_root(r->config), key);
	return put_escaped(r->out, cyg_str_of(value != NULL ? value : ""), r->err);
}

/* notebookPage='tree' of an update. */
static void take_page(struct render *r, struct cyg_str set)
{
	static const char mark[] = "notebookPage='";
	const char *at = memmem(set.p, set.len, mark, sizeof(mark) - 1);
	if (at == NULL)
		return;
	struct cyg_str name = cyg_str_skip(set, (size_t)(at - set.p) + sizeof(mark) - 1);
	name.len = cyg_str_chr(name, '\'');
	for (size_t i = 0; i < name.len; i++)
		if (name.p[i] < 'a' || name.p[i] > 'z')
			return;
	free(r->notebook_page);
	r->notebook_page = cyg_str_dup(name);
}

static int do_statement(struct render *r, struct cyg_str s)
{
	if (cyg_str_eq(s, "if custom_css")) {
		r->skipping = !r->vars->custom_css;
		return 0;
	}
	if (cyg_str_eq(s, "endif")) {
		r->skipping = false;
		return 0;
	}
	if (cyg_str_starts(s, "set ")) {
		take_page(r, s);
		return 0;
	}
	if (cyg_str_starts(s, "block ") || cyg_str_starts(s, "endblock"))
		return 0;
	return unknown(r, s);
}

/* One construct at the start of rest: {# #}, {% %} or {{ }}. */
static int do_construct(struct render *r)
{
	static const struct {
		const char *open, *close;
	} kinds[] = { { "{#", "#}" }, { "{%", "%}" }, { "{{", "}}" } };
	size_t k = 0;
	while (!cyg_str_starts(r->rest, kinds[k].open))
		k++;
	const char *end = memmem(r->rest.p, r->rest.len, kinds[k].close, 2);
	if (end == NULL)
		return unknown(r, r->rest);
	size_t len = (size_t)(end - r->rest.p);
	struct cyg_str inner = cyg_str_trim(cyg_str_sub(r->rest, 2, len - 2));
	r->rest = cyg_str_skip(r->rest, len + 2);
	if (k == 0)
		return 0;
	if (k == 1)
		return do_statement(r, inner);
	return r->skipping ? 0 : put_expression(r, inner);
}

static bool is_construct(struct cyg_str s)
{
	return s.len > 1 && s.p[0] == '{' && (s.p[1] == '#' || s.p[1] == '%' || s.p[1] == '{');
}

int template_render(
    struct cyg_str text, const struct template_vars *vars, struct cyg_buf *out, struct cyg_err *err)
{
	struct render r = { .rest = text, .vars = vars, .out = out, .err = err };
	int e = tape_parse(vars->config, &r.config, NULL, err);
	while (e == 0 && r.rest.len > 0) {
		size_t n = 0;
		while (n < r.rest.len && !is_construct(cyg_str_skip(r.rest, n)))
			n++;
		if (!r.skipping)
			e = cyg_buf_add(out, r.rest.p, n, err);
		r.rest = cyg_str_skip(r.rest, n);
		if (e == 0 && r.rest.len > 0)
			e = do_construct(&r);
	}
	tape_free(r.config);
	free(r.notebook_page);
	return e;
}
