/* What the audit is told when a record moves: a start when it is asked for, an end when it begins.
 */
#include "base/mem.h"
#include "hub/access/audit.h"
#include "hub/server/srv.h"

#include <stdio.h>

static void add(
    struct audit *audit, const struct srv_moved *m, enum audit_action action, json_t *detail)
{
	char object[CYG_AUDIT_TEXT_MAX];

	(void)snprintf(object, sizeof(object), "server:%s/%s", m->srv->user, m->srv->name);
	audit_add(audit, m->by, action, object, detail);
}

static json_t *start_detail(const struct srv *srv)
{
	const struct profile *f = srv_profile(srv);

	return json_pack("{s:s, s:s, s:s, s:s}", "id", srv->id, "profile", srv->choice.profile,
	    "template", f != NULL ? f->template_ : "", "stack", srv->choice.stack);
}

/* A message may hold what a container's process wrote. */
static json_t *stop_detail(const struct srv_moved *m)
{
	const struct srv *srv = m->srv;

	return json_pack("{s:s, s:s, s:s, s:o}", "id", srv->id, "was", srv_state_name(m->from),
	    "why", srv->cause, "message", audit_saying(cyg_str_of(srv->end_message)));
}

void srv_on_moved_audit(void *audit, const struct srv_moved *m)
{
	bool ends = m->srv->state == SRV_STOPPING ||
		    (m->srv->state == SRV_STOPPED && m->from == SRV_QUEUED);

	if (m->srv->state == SRV_QUEUED)
		add(audit, m, AUDIT_SERVER_START, start_detail(m->srv));
	else if (ends)
		add(audit, m, AUDIT_SERVER_STOP, stop_detail(m));
}
