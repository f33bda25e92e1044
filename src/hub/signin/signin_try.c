/* The life of a try. Before it: signin.c and signin_form.c begin one; after it: signin_complete.c
 * makes the session, or signin_refuse.c responds with the refusal. */
#include "hub/signin/signin_try.h"

#include "base/mem.h"
#include "hub/signin/signin_priv.h"

static void on_abort(struct http_req *req)
{
	struct signin_try *t = req->data;

	if (t->cancel != NULL)
		t->cancel(t);
	free(t);
}

struct signin_try *signin_try_new(struct signin_provider *p, struct http_req *req, const char *next)
{
	struct signin_try *t = cyg_xcalloc(1, sizeof(*t));

	t->req = req;
	t->provider = p;
	t->next = next;
	req->data = t;
	req->on_abort = on_abort;
	return t;
}

static void send_on(struct http_req *req, const char *location)
{
	http_reply_field(req, "Cache-Control", "no-store");
	http_reply_field(req, "Referrer-Policy", "no-referrer");
	http_reply_redirect(req, 302, location);
}

void signin_done(struct signin_try *t, const struct signin_verdict *verdict)
{
	struct http_req *req = t->req;
	const char *next = t->next;
	const struct signin_subject whose = { t->provider->id, t->name };
	const char *refusal =
	    t->provider->kind == SIGNIN_PASSWORD ? signin_form_judge(t, verdict) : NULL;

	req->on_abort = NULL;
	req->data = NULL;
	free(t);
	if (refusal != NULL)
		signin_refuse(req, refusal, &whose);
	else if (verdict->outcome == SIGNIN_PROVED)
		signin_complete(req, verdict->claim, next);
	else if (verdict->outcome == SIGNIN_SENT)
		send_on(req, verdict->location);
	else
		signin_refuse(req, verdict->refusal, &whose);
}

void signin_done_refused(struct signin_try *t, const char *refusal)
{
	signin_done(t, &(struct signin_verdict){ .outcome = SIGNIN_REFUSED, .refusal = refusal });
}
