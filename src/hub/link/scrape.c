/* One scrape, in order: every spawner is asked for its counts at once, each reports or is late,
 * then the caller responds with the text. */
#include "hub/link/scrape.h"

#include "base/mem.h"
#include "http/server.h"
#include "hub/base/hub_metrics.h"
#include "hub/link/spawners.h"

#include <stdlib.h>

/* The links look twice a second for what is late: no scrape waits for longer than a second. */
enum { ANSWER_MS = 500 };
_Static_assert((int)SPAWNERS_MAX <= (int)HUB_SPAWNERS_SHOWN, "each spawner has its label");

struct scrape;

struct asked {
	struct scrape *scrape;
	struct spawner_link *link;
	uint32_t number; /* of the open call; 0: none */
	bool told;
	struct spawn_counts counts;
};

struct scrape {
	struct metrics *metrics;
	struct http_req *req;
	scrape_fn respond;
	size_t n, n_open;
	struct asked asked[SPAWNERS_MAX];
};

static void on_abort(struct http_req *req)
{
	struct scrape *s = req->data;

	for (size_t i = 0; i < s->n; i++)
		if (s->asked[i].number != 0)
			spawner_link_forget(s->asked[i].link, s->asked[i].number);
	free(s);
}

static void finish(struct scrape *s)
{
	struct http_req *req = s->req;
	scrape_fn respond = s->respond;

	hub_metrics_spawners_clear(s->metrics);
	for (size_t i = 0; i < s->n; i++)
		hub_metrics_spawner(
		    s->metrics, (uint16_t)i, s->asked[i].told ? &s->asked[i].counts : NULL);
	free(s);
	req->on_abort = NULL;
	respond(req);
}

static void on_counts(void *arg, const struct spawn_counts *counts)
{
	struct asked *a = arg;

	a->counts = *counts;
	a->told = true;
}

static void on_reply(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct asked *a = arg;

	(void)number;
	(void)why; /* a spawner that has not reported is shown as down */
	a->number = 0;
	if (--a->scrape->n_open == 0)
		finish(a->scrape);
}

void scrape_start(
    struct http_req *req, struct spawners *spawners, struct metrics *m, scrape_fn respond)
{
	struct scrape *s = cyg_xcalloc(1, sizeof(*s));
	const struct spawner *spawner;

	s->metrics = m;
	s->req = req;
	s->respond = respond;
	req->data = s;
	req->on_abort = on_abort;
	while ((spawner = spawners_at(spawners, s->n)) != NULL) {
		struct asked *a = &s->asked[s->n++];
		struct spawn_head ask;
		const struct spawner_call call = { .on_counts = on_counts,
			.on_reply = on_reply,
			.arg = a,
			.timeout_ms = ANSWER_MS };

		a->scrape = s;
		a->link = spawner->link;
		a->number = spawner_link_call(a->link, SPAWN_METRICS, &ask, sizeof(ask), &call);
		s->n_open += a->number != 0 ? 1 : 0;
	}
	if (s->n_open == 0)
		finish(s);
}
