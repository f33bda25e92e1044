/* Reads the catalogue: one reader for all requests that wait for it, whose result is kept for a
 * short while. */
#include "hub/offer/clusters.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/offer/reader.h"
#include "spark/catalogue.h"

enum { READ_MS = 5000 };

struct clusters {
	uv_loop_t *loop;
	char *path;
	struct reader *reader; /* the last one, or NULL */
	bool reading;
	uv_timer_t soon; /* calls those who came while the copy is fresh */
	struct cyg_list waits;
	struct spark_catalogue *catalogue; /* NULL: why has the reason */
	struct cyg_err why;
	uint64_t read_ms; /* when it was read; 0: never */
};

struct clusters *clusters_new(uv_loop_t *loop, const char *path)
{
	struct clusters *c = cyg_xcalloc(1, sizeof(*c));

	c->loop = loop;
	c->path = cyg_xstrdup(path);
	cyg_list_init(&c->waits);
	(void)uv_timer_init(loop, &c->soon);
	c->soon.data = c;
	return c;
}

static void on_closed(uv_handle_t *handle)
{
	struct clusters *c = handle->data;

	spark_catalogue_free(c->catalogue);
	free(c->path);
	free(c);
}

void clusters_close(struct clusters *c)
{
	if (c == NULL)
		return;
	reader_release(CYG_TAKE(c->reader));
	uv_close((uv_handle_t *)&c->soon, on_closed);
}

/* Calls those who wait now; one who waits again from inside its callback waits for the next round.
 */
static void tell_all(struct clusters *c)
{
	for (size_t n = c->waits.n; n > 0 && c->waits.n > 0; n--) {
		struct clusters_wait *w =
		    CYG_CONTAINER_OF(cyg_list_first(&c->waits), struct clusters_wait, link);
		clusters_wait_cancel(w);
		w->fn(w->arg, c->catalogue, c->catalogue != NULL ? NULL : &c->why);
	}
}

static void on_soon(uv_timer_t *timer)
{
	tell_all(timer->data);
}

static void on_read(void *arg, struct cyg_str text, const struct cyg_err *why)
{
	struct clusters *c = arg;

	c->reading = false;
	c->read_ms = cyg_clock_mono_ms();
	spark_catalogue_free(CYG_TAKE(c->catalogue));
	if (why != NULL)
		(void)cyg_fail(&c->why, why->code,
		    "The catalogue of Spark clusters cannot be read: %s", why->msg);
	else
		(void)spark_catalogue_parse(c->path, text, &c->catalogue, &c->why);
	if (c->catalogue == NULL)
		cyg_log_warn("spark", "%s", c->why.msg);
	tell_all(c);
}

static bool is_fresh(const struct clusters *c)
{
	return c->read_ms != 0 && cyg_clock_mono_ms() < c->read_ms + CLUSTERS_AGE_MS;
}

static void tell_soon(struct clusters *c)
{
	(void)uv_timer_start(&c->soon, on_soon, 0, 0);
}

void clusters_want(struct clusters *c, struct clusters_wait *w, clusters_fn fn, void *arg)
{
	const struct reader_spec spec = { c->path, READ_MS, on_read, c };

	w->clusters = c;
	w->fn = fn;
	w->arg = arg;
	cyg_list_add(&c->waits, &w->link);
	if (c->reading)
		return;
	/* While a reader hangs in the kernel, no second one is started. */
	if (is_fresh(c) || (c->reader != NULL && !reader_has_ended(c->reader))) {
		tell_soon(c);
		return;
	}
	cyg_log_debug("spark", "reading the catalogue");
	reader_release(CYG_TAKE(c->reader));
	c->reading = reader_start(c->loop, &spec, &c->reader, &c->why) == 0;
	if (c->reading)
		return;
	spark_catalogue_free(CYG_TAKE(c->catalogue));
	tell_soon(c);
}

void clusters_wait_cancel(struct clusters_wait *w)
{
	if (w->clusters == NULL)
		return;
	cyg_list_remove(&w->clusters->waits, &w->link);
	w->clusters = NULL;
}
