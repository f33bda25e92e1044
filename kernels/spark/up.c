/* The server's own cluster for JVMs that Spark's own scripts start: spark-env.sh asks and waits. */
#include "base/mem.h"
#include "kernels/spark/spark_priv.h"

#include <string.h>

struct waiter {
	struct cyg_link link;
	struct http_req *req;
	struct spark *spark;
};

static void respond(struct http_req *req, const char *why)
{
	if (why == NULL)
		http_reply(req, 200, "text/plain", CYG_STR("up\n"));
	else
		http_reply(req, 503, "text/plain", cyg_str_of(why));
}

static void respond_all(struct spark *s, const char *why)
{
	cyg_list_each_safe (it, &s->waiters) {
		struct waiter *w = CYG_CONTAINER_OF(it, struct waiter, link);

		cyg_list_remove(&s->waiters, it);
		w->req->on_abort = NULL;
		respond(w->req, why);
		free(w);
	}
}

void up_on_cluster(struct spark *s, struct cluster *c)
{
	if (cluster_state_of(c) == CLUSTER_UP)
		respond_all(s, NULL);
	else if (cluster_state_of(c) == CLUSTER_FAILED)
		respond_all(s, cluster_why(c));
}

/* ---- nobody has started it yet ---- */

static void fail(struct spark *s, const char *why)
{
	free(s->up_why);
	s->up_why = cyg_xstrdup(why);
	respond_all(s, why);
}

static void on_rendered(void *arg, const struct http_result *result)
{
	struct spark *s = arg;
	struct cluster *c = sessions_cluster(s->sessions, s->opts.cluster);

	s->up_call = NULL;
	if (result->status != 200) {
		cyg_autofree char *why = hub_ask_refusal(result);

		fail(s, why);
	} else if (c != NULL) {
		cluster_start(c, result->body);
	}
}

static void ask(struct spark *s)
{
	cyg_autofree char *body = cyg_xasprintf(
	    "{\"spark_version\":\"%s\",\"cluster\":\"%s\"}", s->stack.version, s->opts.cluster);
	struct cyg_err err;

	if (s->up_call != NULL)
		return;
	s->up_call =
	    hub_ask(&s->hub, "/api/cygnet/spark/connect", cyg_str_of(body), on_rendered, s, &err);
	if (s->up_call == NULL)
		fail(s, err.msg);
}

/* ---- the request ---- */

static void on_gone(struct http_req *req)
{
	struct waiter *w = req->data;

	cyg_list_remove(&w->spark->waiters, &w->link);
	free(w);
}

void up_handle(struct http_req *req)
{
	struct spark *s = req->ctx;
	struct cluster *c = sessions_cluster(s->sessions, s->opts.cluster);
	struct waiter *w;

	if (c != NULL && cluster_state_of(c) == CLUSTER_UP) {
		respond(req, NULL);
		return;
	}
	w = cyg_xcalloc(1, sizeof(*w));
	w->req = req;
	w->spark = s;
	req->data = w;
	req->on_abort = on_gone;
	cyg_list_add(&s->waiters, &w->link);
	if (c == NULL)
		fail(s, "This server uses too many clusters.");
	else if (cluster_state_of(c) == CLUSTER_ABSENT || cluster_state_of(c) == CLUSTER_FAILED)
		ask(s);
}

void up_close(struct spark *s)
{
	http_call_cancel(CYG_TAKE(s->up_call));
	respond_all(s, "The notebook server is being started again: try it once more.");
	free(s->up_why);
}
