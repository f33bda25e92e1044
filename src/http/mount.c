/* Mounts: those of one prefix are one tree of endpoints (endpoint.c), the trees are ordered by the
 * length of their prefix. */
#include "http/mount.h"

#include "base/mem.h"
#include "http/url.h"

#include <string.h>

enum { BASE_URL_MAX = 16 * 1024 };

struct place {
	struct cyg_str prefix;
	char *base_url;
	struct endpoint_tree *tree;
	const struct http_mount *not_found; /* whose handler is asked, or NULL */
};

struct mounts {
	unsigned refs;
	struct http_mount *list; /* a copy: trees point into it */
	struct place *places;    /* longest prefix first */
	size_t n_places;
};

static int encode_base_url(struct cyg_str prefix, char **ret, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf b;
	int rc;

	cyg_buf_init(&b, BASE_URL_MAX);
	rc = url_encode(&b, prefix, "/@~", err);
	if (rc == 0)
		rc = cyg_buf_add_str(&b, "/", err);
	if (rc < 0)
		return rc;
	*ret = cyg_str_dup(cyg_buf_str(&b));
	return 0;
}

/* The place of a prefix, made where its length belongs. */
static int place_of(
    struct mounts *m, struct cyg_str prefix, struct place **ret, struct cyg_err *err)
{
	char *base_url;
	size_t at = 0;
	int rc;

	while (at < m->n_places && m->places[at].prefix.len >= prefix.len) {
		*ret = &m->places[at++];
		if (cyg_str_same((*ret)->prefix, prefix))
			return 0;
	}
	rc = encode_base_url(prefix, &base_url, err);
	if (rc < 0)
		return rc;
	m->places = cyg_xrealloc(m->places, (m->n_places + 1) * sizeof(*m->places));
	memmove(&m->places[at + 1], &m->places[at], (m->n_places - at) * sizeof(*m->places));
	m->n_places++;
	m->places[at] =
	    (struct place){ .prefix = prefix, .base_url = base_url, .tree = endpoint_tree_new() };
	*ret = &m->places[at];
	return 0;
}

static int add_mount(struct mounts *m, const struct http_mount *mount, struct cyg_err *err)
{
	struct cyg_str prefix = cyg_str_of(mount->prefix);
	struct place *place;
	int rc;

	if (prefix.len > 0 && (prefix.p[0] != '/' || cyg_str_ends(prefix, "/")))
		return cyg_fail(err, CYG_EINVAL,
		    "the prefix '%s' needs a slash at its start and none at its end",
		    mount->prefix);
	rc = place_of(m, prefix, &place, err);
	if (rc < 0)
		return rc;
	if (place->not_found == NULL && mount->not_found != NULL)
		place->not_found = mount;
	return endpoint_tree_add(place->tree, mount, err);
}

int mounts_new(const struct http_mount *list, struct mounts **ret, struct cyg_err *err)
{
	struct mounts *m = cyg_xcalloc(1, sizeof(*m));
	size_t n = 0;
	int rc = 0;

	m->refs = 1;
	while (list[n].endpoints != NULL)
		n++;
	m->list = cyg_xcalloc(n + 1, sizeof(*m->list));
	memcpy(m->list, list, n * sizeof(*m->list));
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = add_mount(m, &m->list[i], err);
	if (rc < 0) {
		mounts_unref(m);
		return rc;
	}
	*ret = m;
	return 0;
}

struct mounts *mounts_ref(struct mounts *m)
{
	m->refs++;
	return m;
}

void mounts_unref(struct mounts *m)
{
	if (m == NULL || --m->refs > 0)
		return;
	for (size_t i = 0; i < m->n_places; i++) {
		endpoint_tree_free(m->places[i].tree);
		free(m->places[i].base_url);
	}
	free(m->places);
	free(m->list);
	free(m);
}

/* "/hub" has "/hub" and "/hub/home" below it, not "/hubble". */
static bool is_below(struct cyg_str path, struct cyg_str prefix)
{
	return path.len >= prefix.len && cyg_str_same(cyg_str_sub(path, 0, prefix.len), prefix) &&
	       (path.len == prefix.len || path.p[prefix.len] == '/');
}

static void belong_to(struct http_req *req, const struct http_mount *mount)
{
	req->mount = mount;
	req->ctx = mount != NULL ? mount->ctx : NULL;
}

void mounts_route(const struct mounts *m, struct http_req *req, struct mount_match *ret)
{
	const struct place *place = m->places, *end = m->places + m->n_places;
	struct endpoint_found found;

	*ret = (struct mount_match){ 0, NULL };
	req->base_url = "/";
	while (place < end && !is_below(req->path, place->prefix))
		place++;
	if (place == end)
		return;
	req->base_url = place->base_url;
	found = endpoint_find(place->tree, req->method, cyg_str_skip(req->path, place->prefix.len),
	    req->params, &ret->allowed);
	req->endpoint = found.row;
	belong_to(req, found.row != NULL ? found.mount : place->not_found);
	if (found.row == NULL && place->not_found != NULL)
		ret->not_found = place->not_found->not_found;
}
