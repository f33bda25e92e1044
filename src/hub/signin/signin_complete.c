/* The end of a sign-in, the same for every provider: account → session row → commit → table in
 * force → cookie. And the sign-out: session row removed → table in force → cookie cleared. */
#include "base/buf.h"
#include "base/mem.h"
#include "cygnet/paths.h"
#include "daemon/log.h"
#include "http/cookie.h"
#include "http/url.h"
#include "hub/access/auth.h"
#include "hub/base/reply.h"
#include "hub/link/proxy_link.h"
#include "hub/signin/signin_priv.h"
#include "store/store.h"

enum { COOKIE_FIELD_MAX = 512 };

/* A request that waits for the table. */
struct passage {
	struct signin *signin;
	struct http_req *req;
	uint32_t ticket;
	bool saved, pushed, refused;         /* on disk; in force, or not */
	const char *next;                    /* in the request's arena */
	char cookie[CYG_CREDENTIAL_LEN + 1]; /* "" at sign-out */
};

static void passage_free(struct passage *p)
{
	store_forget(p->signin->opts.store, p);
	cyg_cleanse(p->cookie, sizeof(p->cookie));
	free(p);
}

static void set_cookie(struct http_req *req, const char *value, long max_age_s)
{
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, COOKIE_FIELD_MAX);
	if (http_cookie_set(&b, HUB_COOKIE, value, max_age_s, NULL) == 0)
		http_reply_field(req, "Set-Cookie", b.data);
}

static void reply_next(struct http_req *req, const char *next)
{
	http_reply_field(req, "Cache-Control", "no-store");
	if (request_wants_json(req))
		reply_json(req, 200, json_pack("{s:s}", "next", next));
	else
		http_reply_redirect(req, 302, next);
}

static void drop_session(struct passage *p)
{
	struct session *s = sessions_find(p->signin->opts.access, cyg_str_of(p->cookie), 0);

	if (s == NULL)
		return;
	signin_audit_out(p->req, s, "nobody got it");
	sessions_end(p->signin->opts.access, s);
}

/* The browser went away while the table was under way: it does not have the cookie. */
static void on_abort(struct http_req *req)
{
	struct passage *p = req->data;

	proxy_link_forget(p->signin->opts.proxy, p->ticket);
	drop_session(p);
	passage_free(p);
}

static void finish_if_done(struct passage *p)
{
	struct http_req *req = p->req;

	if (!p->saved || !p->pushed)
		return;
	req->on_abort = NULL;
	if (p->cookie[0] == '\0') {
		/* The row is removed whatever the proxies say: a late one gets the table later. */
		set_cookie(req, "", 0);
		reply_next(req, p->next);
	} else if (p->refused) {
		drop_session(p);
		signin_refuse(req, "proxy", NULL);
	} else {
		set_cookie(req, p->cookie, (long)(p->signin->opts.session_ms / 1000));
		reply_next(req, p->next);
	}
	passage_free(p);
}

static void on_pushed(void *arg, uint32_t ticket, const struct cyg_err *why)
{
	struct passage *p = arg;

	(void)ticket;
	p->pushed = true;
	p->refused = why != NULL;
	if (p->refused)
		cyg_log_warn("sign-in", "the table is not in force: %s", why->msg);
	finish_if_done(p);
}

/* The change is undone: the session is not there, or still there. */
static void on_turn(void *arg, const struct cyg_err *why)
{
	struct passage *p = arg;
	struct http_req *req = p->req;
	bool signs_in = p->cookie[0] != '\0';

	p->saved = why == NULL;
	if (p->saved) {
		finish_if_done(p);
		return;
	}
	req->on_abort = NULL;
	proxy_link_forget(p->signin->opts.proxy, p->ticket);
	passage_free(p);
	if (signs_in)
		signin_refuse(req, "store", NULL);
	else
		reply_unsaved(req);
}

static struct passage *passage_new(struct http_req *req, const char *next)
{
	struct passage *p = cyg_xcalloc(1, sizeof(*p));

	p->signin = signin_of(req);
	p->req = req;
	p->next = next;
	return p;
}

/* Until the proxies have every change made so far. */
static void passage_wait(struct passage *p)
{
	p->req->data = p;
	p->req->on_abort = on_abort;
	p->ticket = proxy_link_push(p->signin->opts.proxy, on_pushed, p);
	store_after_turn(p->signin->opts.store, on_turn, p);
}

static void end_old_session(struct http_req *req, const char *why)
{
	const struct who *who = auth_who(req);

	if (who->session == NULL)
		return;
	signin_audit_out(req, who->session, why);
	sessions_end(signin_of(req)->opts.access, who->session);
	auth_forget(req);
}

void signin_complete(struct http_req *req, const struct person_claim *claim, const char *next)
{
	const struct signin *signin = signin_of(req);
	const struct person *was = people_find_claim(signin->opts.access, claim);
	const bool was_admin = was != NULL && was->admin;
	const struct signin_subject whose = { claim->provider, cyg_str_of(claim->name) };
	struct person *person = NULL;
	struct cyg_err err;

	/* A user who has such a name already keeps the account. */
	bool reserved = signin_is_reserved(signin, claim->name);
	bool may_create = signin->opts.create_users && !reserved;
	if (people_admit(signin->opts.access, claim, may_create, &person, &err) < 0) {
		bool by_name = reserved && err.code == CYG_ENOENT;
		cyg_log_warn("sign-in", "%s by %s: %s", claim->name, claim->provider,
		    by_name ? "the name is reserved" : err.msg);
		signin_refuse(req,
		    by_name                  ? "reserved"
		    : err.code == CYG_EINVAL ? "name"
					     : "account",
		    &whose);
		return;
	}
	signin_audit_claim(req, claim, person, was != NULL, was_admin);
	end_old_session(req, "signed in again");
	struct passage *p = passage_new(req, next);
	signin_audit_in(
	    req, sessions_make(signin->opts.access, person, claim->provider, p->cookie));
	passage_wait(p);
	cyg_log_info("sign-in", "%s by %s", person->name, claim->provider);
}

/* To the provider's own sign-out where it has one, else to the page. */
static const char *way_out(struct http_req *req, const char *provider)
{
	struct signin_provider *p = signin_find(signin_of(req), cyg_str_of(provider));
	const char *next = p != NULL && p->ops->sign_out != NULL ? p->ops->sign_out(p, req) : NULL;

	return next != NULL ? next : CYG_HUB_PATH "/login";
}

/* POST /hub/logout */
void signout_post(struct http_req *req)
{
	const struct who *who = auth_who(req);

	if (who->session == NULL) {
		set_cookie(req, "", 0);
		reply_next(req, CYG_HUB_PATH "/login");
		return;
	}
	cyg_log_info("sign-in", "%s signed out", who->person->name);
	const char *next = way_out(req, who->session->provider);
	end_old_session(req, "asked");
	passage_wait(passage_new(req, next));
}
