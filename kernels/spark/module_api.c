/* What kernels ask for on the socket in the run folder (docs/decisions/0009): their session, news
 * of it, its end, and that a cell uses it. Whoever can connect is the user's own process. */
#include "base/mem.h"
#include "base/num.h"
#include "http/url.h"
#include "kernels/base/reply.h"
#include "kernels/spark/spark_priv.h"
#include "kernels/spark/want.h"

#include <string.h>

enum { BODY_MAX = 512 * 1024 };

/* The session of the path, or NULL when the request has its 404. */
static struct session *find(struct http_req *req)
{
	const struct spark *s = req->ctx;
	struct session *found = sessions_find(s->sessions, req->params[0]);

	if (found == NULL)
		reply_error(req, 404, NULL, "There is no such Spark session.");
	return found;
}

/* POST /sessions */
static void post_session(struct http_req *req)
{
	struct spark *s = req->ctx;
	struct want want;
	struct session *session = NULL;
	bool adopted = false;
	struct cyg_err err;

	if (want_read(req->body, &want, &err) == 0) {
		choices_apply(&s->choices, &want.session);
		session = sessions_want(s->sessions, &want.session, &adopted, &err);
	}
	if (session == NULL)
		reply_err(req, &err);
	else
		session_stream(session, req, want.session.options);
	want_free(&want);
}

/* GET /sessions/{id}?not=STATE&news=N */
static void get_session(struct http_req *req)
{
	struct session *session = find(req);
	struct cyg_str not_state = CYG_STR("");
	struct cyg_str text;
	uint64_t news = UINT64_MAX;
	bool found = false;
	struct cyg_err err;

	if (session == NULL)
		return;
	if (url_query_get(req->arena, req->head->query, "not", &not_state, &found, &err) < 0 ||
	    url_query_get(req->arena, req->head->query, "news", &text, &found, &err) < 0 ||
	    (found && cyg_num_parse_u64(text, 0, INT64_MAX, &news, &err) < 0))
		reply_err(req, &err);
	else
		session_poll(session, req, not_state, news);
}

/* DELETE /sessions/{id} */
static void delete_session(struct http_req *req)
{
	struct session *session = find(req);

	if (session == NULL)
		return;
	session_end(session);
	reply_empty(req);
}

/* POST /sessions/{id}/cells {"cell", "msg", "execution_count"} */
static void post_cell(struct http_req *req)
{
	struct spark *s = req->ctx;
	struct session *session = find(req);
	struct tape *t = NULL;
	struct cyg_err err;

	if (session == NULL)
		return;
	if (tape_parse(req->body, &t, NULL, &err) < 0) {
		reply_err(req, &err);
		return;
	}
	cyg_autofree char *cell = tape_get_str(t, tape_root(t), "cell");
	cyg_autofree char *msg = tape_get_str(t, tape_root(t), "msg");
	tape_node n = tape_find(t, tape_root(t), "execution_count");
	int64_t count = 0;

	if (n != TAPE_NONE)
		(void)tape_int(t, n, &count, NULL);
	tape_free(t);
	spark_on_cell(s, session, cell, msg, count);
	reply_empty(req);
}

const struct http_endpoint module_endpoints[] = {
	{ HTTP_POST, "/up", "container", up_handle, 0 },
	{ HTTP_POST, "/sessions", "container", post_session, BODY_MAX },
	{ HTTP_GET, "/sessions/{id}", "container", get_session, 0 },
	{ HTTP_DELETE, "/sessions/{id}", "container", delete_session, 0 },
	{ HTTP_POST, "/sessions/{id}/cells", "container", post_cell, 0 },
	{ .path = NULL },
};
