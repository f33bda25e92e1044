/* Telling who watches credentials of the edge. */
#include "hub/access/credentials.h"

#include "hub/access/holdings.h"

void credential_session(const struct hub *hub, const struct session *s, bool live)
{
	const struct credential c = { s->sum, s->person, s->expires_us };

	if (hub->credential_changed != NULL)
		hub->credential_changed(hub->credential_arg, &c, live);
}

void credential_token(const struct hub *hub, const struct token *t, bool live)
{
	const struct credential c = { t->sum, t->person, t->expires_us };

	if (hub->credential_changed == NULL || t->person == NULL)
		return;
	hub->credential_changed(hub->credential_arg, &c, live && holdings_open_servers(hub, t));
}

void credentials_of_person(const struct hub *hub, const struct person *person)
{
	cyg_list_each (it, &person->sessions)
		credential_session(hub, CYG_CONTAINER_OF(it, struct session, link), true);
	cyg_list_each (it, &person->tokens)
		credential_token(hub, CYG_CONTAINER_OF(it, struct token, link), true);
}

void credentials_watch(struct hub *hub, credential_fn fn, void *arg)
{
	const struct session *session = NULL;
	const struct token *token = NULL;
	size_t pos = 0;

	hub->credential_changed = fn;
	hub->credential_arg = arg;
	if (fn == NULL)
		return;
	while (sessions_next(hub, &pos, &session))
		credential_session(hub, session, true);
	pos = 0;
	while (tokens_next(hub, &pos, &token))
		credential_token(hub, token, true);
}
