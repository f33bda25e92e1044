/* Why a sign-in was refused: one table of codes and sentences. The browser is sent back to the page
 * with a code only, and the page fetches the sentence; so a link cannot make the page show a text
 * of its own. */
#include "base/mem.h"
#include "cygnet/paths.h"
#include "hub/base/reply.h"
#include "hub/signin/signin_priv.h"

#include <stdio.h>

enum { LOCATION_MAX = 64 };

static const struct refusal {
	const char *code;
	int status;
	const char *message;
} refusals[] = {
	/* by password */
	{ "password", 403, "Invalid username or password" },
	{ "form", 400, "A name and a password are needed." },
	{ "spelling", 400,
	    "The password is right, but not the name: it is made of lower-case letters, digits, "
	    "\".\", \"_\" and \"-\", and begins with neither \".\" nor \"-\"." },
	{ "limit", 429,
	    "Too many failed sign-ins. Please wait a few minutes before you try again." },
	/* at a provider */
	{ "down", 503,
	    "The identity provider does not answer. Please try again later; running servers go on." },
	{ "provider", 502,
	    "The identity provider's response was not as it should be. Please try again; if it fails "
	    "again, tell the site's support." },
	{ "expired", 403,
	    "This sign-in was begun too long ago, or in another browser. Please sign in again." },
	{ "cancelled", 403,
	    "The sign-in was cancelled at the identity provider. You can try again." },
	{ "group", 403,
	    "You are known there, but in none of the groups that may use this site. Please ask "
	    "the site's support to add you." },
	{ "name", 403,
	    "Your user name cannot be used here. Please show this to the site's support." },
	{ "reserved", 403,
	    "Your user name is that of a system account, or reserved by this site, so no account can "
	    "have it. Please show this to the site's support." },
	{ "account", 403,
	    "You have no account here, or your user name is another user's. Please show this to "
	    "the site's support." },
	{ "callback", 403,
	    "The identity provider sends users back to an address that is no longer used here. "
	    "The site's operator has to register PUBLIC-URL" CYG_HUB_PATH
	    "/oauth_callback/PROVIDER there; "
	    "the hub's log names the whole address." },
	{ "busy", 503, "Too many users are signing in. Please try again in a few minutes." },
	/* at the end */
	{ "store", 503,
	    "The sign-in could not be saved, because the service cannot write to its disk. Please "
	    "try again in a moment; running servers go on." },
	{ "proxy", 503, "The sign-in could not be finished. Please try again." },
};

static const struct refusal *find(struct cyg_str code)
{
	for (size_t i = 0; i < CYG_N(refusals); i++) {
		if (cyg_str_eq(code, refusals[i].code))
			return &refusals[i];
	}
	return NULL;
}

void signin_refuse(struct http_req *req, const char *code, const struct signin_subject *whose)
{
	const struct refusal *r = find(cyg_str_of(code));
	char location[LOCATION_MAX];

	if (r == NULL)
		abort(); /* our mistake: a code that is not in the table */
	signin_audit_refused(req, code, whose);
	http_reply_field(req, "Cache-Control", "no-store");
	if (r->status == 503)
		http_reply_field(req, "Retry-After", "10");
	if (request_wants_json(req)) {
		reply_error(req, r->status, r->message);
		return;
	}
	(void)snprintf(location, sizeof(location), CYG_HUB_PATH "/login?error=%s", code);
	http_reply_redirect(req, 302, location);
}

/* GET /hub/api/cygnet/refusals/{code} */
void signin_get_refusal(struct http_req *req)
{
	const struct refusal *r = find(req->params[0]);

	if (r == NULL)
		reply_error(req, 404, "There is no such refusal.");
	else
		reply_json(
		    req, 200, json_pack("{s:s, s:s}", "code", r->code, "message", r->message));
}
