/* Sums of what servers report of their Spark sessions. The reader of a report is
 * api/spark_report.c. */
#include "hub/server/spark_account.h"

#include "base/hash.h"
#include "base/mem.h"
#include "hub/base/hub_metrics.h"
#include "hub/offer/policy.h"
#include "hub/server/srv.h"

#include <stdio.h>

enum { KEY_SIZE = CYG_SERVER_ID_LEN + 1 + CYG_NAME_MAX };

struct spark_account {
	const struct profiles *profiles;
	struct metrics *metrics;
	struct cyg_hash *held; /* "SERVER ID/CLUSTER" → struct held; none when all are 0 */
};

/* The gauges of one server at one cluster. */
struct held {
	struct metric_at at;
	double gauges[ACCOUNT_GAUGES];
};

/* ---- labels ---- */

static void place_groups(struct spark_account *a, const struct profile_list *groups)
{
	for (size_t i = 0; i < groups->n; i++)
		(void)hub_metrics_spark_at(a->metrics, "other", groups->items[i]);
}

static void place_what_rules_name(struct spark_account *a)
{
	const struct profiles *p = a->profiles;

	for (size_t i = 0; i < p->n_clusters; i++)
		(void)hub_metrics_spark_at(a->metrics, p->clusters[i].id, "");
	for (size_t i = 0; i < p->n_clusters; i++)
		place_groups(a, &p->clusters[i].groups);
	for (size_t i = 0; i < p->n_profiles; i++)
		place_groups(a, &p->profiles[i].groups);
}

/* No text of a request takes a place: only what the profiles name is a cluster. */
static struct metric_at at_of(const struct spark_account *a, const struct account_of *of)
{
	const struct profile_cluster *c = profiles_find_cluster(a->profiles, of->cluster);
	const struct profile *f =
	    of->srv != NULL ? profiles_find(a->profiles, of->srv->choice.profile) : NULL;
	const struct policy_person who = { .groups = of->groups };

	return hub_metrics_spark_at(
	    a->metrics, c != NULL ? c->id : "other", policy_account_group(&who, f, c));
}

/* ---- life ---- */

struct spark_account *spark_account_new(const struct profiles *profiles, struct metrics *metrics)
{
	struct spark_account *a = cyg_xcalloc(1, sizeof(*a));

	a->profiles = profiles;
	a->metrics = metrics;
	a->held = cyg_hash_new();
	place_what_rules_name(a);
	return a;
}

void spark_account_free(struct spark_account *a)
{
	if (a == NULL)
		return;
	cyg_hash_free(a->held, free);
	free(a);
}

/* ---- counting ---- */

void spark_account_connect(struct spark_account *a, const struct account_of *of, unsigned result)
{
	struct metric_at at = at_of(a, of);

	at.label[2] = (uint16_t)result;
	metrics_inc(a->metrics, HUB_SPARK_CONNECTS, at);
}

static bool is_idle(const struct held *h)
{
	for (size_t i = 0; i < ACCOUNT_GAUGES; i++) {
		if (h->gauges[i] > 0)
			return false;
	}
	return true;
}

static void keep_gauges(struct spark_account *a, const char *key, struct metric_at at,
    const struct account_figures *figures)
{
	const struct held *before = cyg_hash_find(a->held, cyg_str_of(key));
	struct held *h = cyg_xcalloc(1, sizeof(*h));

	if (before != NULL)
		*h = *before;
	h->at = at;
	for (size_t i = 0; i < ACCOUNT_GAUGES; i++) {
		if (figures->told[i])
			h->gauges[i] = figures->gauges[i];
	}
	free(cyg_hash_remove(a->held, cyg_str_of(key)));
	if (is_idle(h))
		free(h);
	else
		(void)cyg_hash_set(a->held, cyg_str_of(key), h);
}

void spark_account_report(
    struct spark_account *a, const struct account_of *of, const struct account_figures *figures)
{
	const struct metric_at at = at_of(a, of);
	char key[KEY_SIZE + 1];

	(void)snprintf(key, sizeof(key), "%s/%s", of->srv->id, of->cluster);
	keep_gauges(a, key, at, figures);
	for (unsigned i = 0; i < ACCOUNT_COUNTERS; i++) {
		if (figures->counters[i] > 0)
			metrics_add(
			    a->metrics, HUB_SPARK_CORE_SECONDS + i, at, figures->counters[i]);
	}
}

void spark_account_set_gauges(struct spark_account *a)
{
	struct cyg_str key;
	size_t pos = 0;
	void *value;

	for (unsigned i = 0; i < ACCOUNT_GAUGES; i++)
		metrics_clear(a->metrics, HUB_SPARK_SESSIONS + i);
	while (cyg_hash_next(a->held, &pos, &key, &value)) {
		const struct held *h = value;

		for (unsigned i = 0; i < ACCOUNT_GAUGES; i++)
			metrics_add(a->metrics, HUB_SPARK_SESSIONS + i, h->at, h->gauges[i]);
	}
}

/* ---- the end of a server ---- */

static bool is_of_server(void *arg, struct cyg_str key, void *value)
{
	if (!cyg_str_starts(key, arg))
		return false;
	free(value);
	return true;
}

void srv_on_moved_spark(void *account, const struct srv_moved *m)
{
	struct spark_account *a = account;

	if (m->srv->state == SRV_STOPPED)
		(void)cyg_hash_sweep(a->held, is_of_server, m->srv->id);
}
