/* What the sign-in tells the audit. Before it: signin_complete.c and signin_refuse.c, which do what
 * is told here. */
#include "base/mem.h"
#include "hub/access/audit.h"
#include "hub/access/sessions.h"
#include "hub/base/reply.h"
#include "hub/signin/signin_priv.h"

#include <stdio.h>
#include <string.h>

static struct audit_actor provider_actor(const char *id)
{
	struct audit_actor ret = { .token = 0 };

	(void)snprintf(ret.text, sizeof(ret.text), "provider:%.*s", CYG_NAME_MAX, id);
	return ret;
}

void signin_audit_claim(struct http_req *req, const struct person_claim *claim,
    const struct person *person, bool was_known, bool was_admin)
{
	struct audit *audit = signin_of(req)->opts.audit;
	const struct audit_actor by = provider_actor(claim->provider);

	if (!was_known || was_admin != person->admin)
		audit_user(audit, &by, was_known ? AUDIT_USER_ADMIN : AUDIT_USER_MAKE, person,
		    json_pack("{s:b}", "admin", (int)person->admin));
}

void signin_audit_in(struct http_req *req, const struct session *s)
{
	const struct audit_actor by = audit_actor_user(s->person->name);

	audit_session(signin_of(req)->opts.audit, &by, AUDIT_SIGN_IN, s,
	    json_pack("{s:o}", "address", audit_saying(request_client(req))));
}

void signin_audit_out(struct http_req *req, const struct session *s, const char *why)
{
	const struct audit_actor by = audit_actor_user(s->person->name);

	audit_session(signin_of(req)->opts.audit, &by, AUDIT_SIGN_OUT, s,
	    json_pack("{s:s, s:o}", "why", why, "address", audit_saying(request_client(req))));
}

/* Refusals of somebody who tried to be a user. Of each an address can bring about so many only, or
 * none without a provider's word, so that nobody fills the disk; the others have no row. */
static bool is_told(const char *code)
{
	static const char *const codes[] = { "password", "spelling", "provider", "group", "name",
		"reserved", "account" };

	for (size_t i = 0; i < CYG_N(codes); i++) {
		if (strcmp(code, codes[i]) == 0)
			return true;
	}
	return false;
}

/* What somebody typed beside a wrong password may itself be a password: it is told only where it is
 * a user's name. Any other name was proved. */
static bool may_tell(const char *code, const struct person *person)
{
	return person != NULL || strcmp(code, "password") != 0;
}

void signin_audit_refused(
    struct http_req *req, const char *code, const struct signin_subject *whose)
{
	const struct signin *signin = signin_of(req);
	static const struct audit_actor nobody = { .text = "nobody" };

	if (signin->opts.audit == NULL || !is_told(code))
		return;
	struct cyg_str name = whose != NULL ? whose->name : CYG_STR("");
	const struct person *person = name.len > 0 ? people_find(signin->opts.access, name) : NULL;
	json_t *detail = json_pack("{s:s, s:s?, s:o}", "why", code, "provider",
	    whose != NULL ? whose->provider : NULL, "address", audit_saying(request_client(req)));
	if (name.len > 0 && may_tell(code, person))
		(void)json_object_set_new(detail, "name", audit_saying(name));
	const struct audit_actor user = audit_actor_user(person != NULL ? person->name : "");
	audit_add(signin->opts.audit, &nobody, AUDIT_SIGN_IN_REFUSED,
	    person != NULL ? user.text : "", detail);
}
