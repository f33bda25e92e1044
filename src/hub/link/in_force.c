/* Responds to a request once a change is on disk and, where asked for, in force at every proxy. */
#include "hub/link/in_force.h"

#include "base/mem.h"
#include "hub/base/reply.h"

struct pending {
	struct store *store;
	struct proxy_link *link; /* NULL: only the disk is waited for */
	struct http_req *req;
	uint32_t ticket;
	bool saved, in_force; /* both are waited for */
	int status;
	json_t *body; /* NULL: none */
};

static void pending_free(struct pending *p)
{
	store_forget(p->store, p);
	json_decref(p->body);
	free(p);
}

static void respond_if_done(struct pending *p)
{
	if (!p->saved || !p->in_force)
		return;
	p->req->on_abort = NULL;
	if (p->body != NULL)
		reply_json(p->req, p->status, CYG_TAKE(p->body));
	else
		http_reply(p->req, p->status, "text/plain", CYG_STR(""));
	pending_free(p);
}

static void on_abort(struct http_req *req)
{
	struct pending *p = req->data;

	if (p->ticket != 0)
		proxy_link_forget(p->link, p->ticket);
	pending_free(p);
}

static void on_pushed(void *arg, uint32_t ticket, const struct cyg_err *why)
{
	struct pending *p = arg;

	(void)ticket;
	(void)why;
	p->ticket = 0;
	p->in_force = true;
	respond_if_done(p);
}

/* The change was undone. */
static void respond_unsaved(struct pending *p)
{
	struct http_req *req = p->req;

	req->on_abort = NULL;
	if (p->ticket != 0)
		proxy_link_forget(p->link, p->ticket);
	pending_free(p);
	reply_unsaved(req);
}

static void on_turn(void *arg, const struct cyg_err *why)
{
	struct pending *p = arg;

	p->saved = why == NULL;
	if (p->saved)
		respond_if_done(p);
	else
		respond_unsaved(p);
}

static struct pending *wait_with(
    struct store *store, struct http_req *req, int status, json_t *body)
{
	struct pending *p = cyg_xcalloc(1, sizeof(*p));

	p->store = store;
	p->req = req;
	p->status = status;
	p->body = body;
	req->data = p;
	req->on_abort = on_abort;
	return p;
}

void reply_in_force(struct proxy_link *link, struct http_req *req, int status, json_t *body)
{
	struct pending *p = wait_with(proxy_link_store(link), req, status, body);

	p->link = link;
	p->ticket = proxy_link_push(p->link, on_pushed, p);
	store_after_turn(p->store, on_turn, p);
}

void reply_committed(struct store *store, struct http_req *req, int status, json_t *body)
{
	struct pending *p = wait_with(store, req, status, body);

	p->in_force = true;
	store_after_turn(p->store, on_turn, p);
}
