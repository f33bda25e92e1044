/* Rows of the audit about Spark (access/audit.h writes them). */
#include "hub/api/spark_audit.h"

#include "base/hash.h"
#include "hub/access/audit.h"
#include "hub/api/spark_report.h"
#include "hub/server/srv.h"
#include "spark/chosen.h"

#include <stdio.h>
#include <string.h>

/* Of all names of a row together: what is left of CYG_AUDIT_DETAIL_MAX beside the other members. */
enum { NAMES_BYTES = 560, NAME_SIGNS = 3 /* two quotes and a comma */ };

struct names {
	json_t *list;
	struct cyg_hash *seen;
	size_t room;     /* bytes that are left */
	json_int_t more; /* names for which there was no room */
};

static void add_name(struct names *n, const char *name)
{
	const size_t size = strlen(name) + NAME_SIGNS;

	if (cyg_hash_set(n->seen, cyg_str_of(name), n) != NULL)
		return;
	if (size > n->room) {
		n->more++;
		return;
	}
	n->room -= size;
	(void)json_array_append_new(n->list, audit_saying(cyg_str_of(name)));
}

static void add_pairs(struct names *n, const struct spark_pairs *pairs)
{
	for (size_t i = 0; i < pairs->n; i++)
		add_name(n, pairs->list[i].name);
}

static json_t *bundles_json(struct names *n, const struct spark_chosen *c)
{
	n->list = json_array();
	n->seen = cyg_hash_new();
	for (size_t i = 0; i < c->n_bundles; i++)
		add_name(n, c->bundles[i]);
	cyg_hash_free(n->seen, NULL);
	return n->list;
}

/* Of every layer that is the user's. */
static json_t *options_json(struct names *n, const struct spark_chosen *c)
{
	n->list = json_array();
	n->seen = cyg_hash_new();
	add_pairs(n, &c->user);
	add_pairs(n, &c->notebook);
	add_pairs(n, &c->connect);
	cyg_hash_free(n->seen, NULL);
	return n->list;
}

static json_t *connect_detail(const struct spark_audit_connect *c)
{
	struct names n = { .room = NAMES_BYTES };
	json_t *detail = json_pack("{s:s, s:s, s:s}", "id", c->srv->id, "cluster", c->cluster,
	    "flavour", spark_flavour_name(c->chosen->flavour));

	if (c->session != NULL)
		(void)json_object_set_new(detail, "session", audit_saying(cyg_str_of(c->session)));
	(void)json_object_set_new(detail, "bundles", bundles_json(&n, c->chosen));
	(void)json_object_set_new(detail, "options", options_json(&n, c->chosen));
	if (n.more > 0)
		(void)json_object_set_new(detail, "left_out", json_integer(n.more));
	return detail;
}

static void add(struct audit *audit, const struct audit_actor *by, enum audit_action action,
    const struct srv *srv, json_t *detail)
{
	char object[CYG_AUDIT_TEXT_MAX];

	(void)snprintf(object, sizeof(object), "server:%s/%s", srv->user, srv->name);
	audit_add(audit, by, action, object, detail);
}

void spark_audit_connect(struct audit *audit, const struct spark_audit_connect *c)
{
	add(audit, c->by, AUDIT_SPARK_CONNECT, c->srv, connect_detail(c));
}

void spark_audit_end(struct audit *audit, const struct audit_actor *by, const struct srv *srv,
    const struct spark_report_ended *e)
{
	json_t *detail = json_pack("{s:s, s:s, s:s, s:s, s:o, s:I}", "id", srv->id, "cluster",
	    e->cluster, "flavour", spark_flavour_name(e->flavour), "session", e->session, "why",
	    audit_saying(cyg_str_of(e->why)), "seconds", (json_int_t)e->seconds);

	add(audit, by, AUDIT_SPARK_END, srv, detail);
}
