/* Tells the watcher of changes to the credentials that the proxies accept. */
#include "hub/access/credentials.h"

#include "hub/access/holdings.h"

void credential_session(const struct access *access, const struct session *s, bool live)
{
	const struct credential c = { s->sum, s->person, s->expires_us };

	if (access->credential_changed != NULL)
		access->credential_changed(access->credential_arg, &c, live);
}

void credential_token(const struct access *access, const struct token *t, bool live)
{
	const struct credential c = { t->sum, t->person, t->expires_us };

	if (access->credential_changed == NULL || t->person == NULL)
		return;
	access->credential_changed(
	    access->credential_arg, &c, live && holdings_open_servers(access, t));
}

void credentials_of_person(const struct access *access, const struct person *person)
{
	cyg_list_each (it, &person->sessions)
		credential_session(access, CYG_CONTAINER_OF(it, struct session, link), true);
	cyg_list_each (it, &person->tokens)
		credential_token(access, CYG_CONTAINER_OF(it, struct token, link), true);
}

void credentials_watch(struct access *access, credential_fn fn, void *arg)
{
	const struct session *session = NULL;
	const struct token *token = NULL;
	size_t pos = 0;

	access->credential_changed = fn;
	access->credential_arg = arg;
	if (fn == NULL)
		return;
	while (sessions_next(access, &pos, &session))
		credential_session(access, session, true);
	pos = 0;
	while (tokens_next(access, &pos, &token))
		credential_token(access, token, true);
}
