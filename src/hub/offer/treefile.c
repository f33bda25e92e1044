/* One file of the tree: who waits, the reader, and the copies that are still in use. */
#include "hub/offer/treefile.h"

#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "hub/offer/reader.h"

enum { READ_MS = 5000 };

/* What a reading gave; freed when neither the file nor a request uses it. */
struct treefile_copy {
	const struct treefile_kind *kind;
	void *data; /* NULL: why has the reason */
	struct cyg_err why;
	size_t users;
};

struct treefile {
	uv_loop_t *loop;
	char *path;
	const struct treefile_kind *kind;
	struct reader *reader; /* the last one, or NULL */
	bool reading;
	uv_timer_t soon; /* calls those who came while the copy is fresh */
	struct cyg_list waits;
	struct treefile_copy *copy; /* the last one, or NULL */
	uint64_t read_ms;           /* when it was read; 0: never */
};

static void copy_release(struct treefile_copy *copy)
{
	if (copy == NULL || --copy->users > 0)
		return;
	if (copy->data != NULL)
		copy->kind->free(copy->data);
	free(copy);
}

/* Takes data. */
static void set_copy(struct treefile *f, void *data, const struct cyg_err *why)
{
	copy_release(f->copy);
	f->copy = cyg_xcalloc(1, sizeof(*f->copy));
	f->copy->kind = f->kind;
	f->copy->data = data;
	f->copy->users = 1;
	if (data == NULL)
		f->copy->why = *why;
}

struct treefile *treefile_new(uv_loop_t *loop, const char *path, const struct treefile_kind *kind)
{
	struct treefile *f = cyg_xcalloc(1, sizeof(*f));

	f->loop = loop;
	f->path = cyg_xstrdup(path);
	f->kind = kind;
	cyg_list_init(&f->waits);
	(void)uv_timer_init(loop, &f->soon);
	f->soon.data = f;
	return f;
}

static void on_closed(uv_handle_t *handle)
{
	struct treefile *f = handle->data;

	copy_release(f->copy);
	free(f->path);
	free(f);
}

void treefile_close(struct treefile *f)
{
	if (f == NULL)
		return;
	reader_release(CYG_TAKE(f->reader));
	uv_close((uv_handle_t *)&f->soon, on_closed);
}

bool treefile_is_wanted(const struct treefile *f)
{
	return f->waits.n > 0;
}

const char *treefile_path(const struct treefile *f)
{
	return f->path;
}

/* Calls those who wait now; one who waits again from inside its callback waits for the next round.
 */
static void tell_all(struct treefile *f)
{
	for (size_t n = f->waits.n; n > 0 && f->waits.n > 0; n--) {
		struct treefile_wait *w =
		    CYG_CONTAINER_OF(cyg_list_first(&f->waits), struct treefile_wait, link);

		cyg_list_remove(&f->waits, &w->link);
		w->file = NULL;
		w->copy = f->copy;
		w->copy->users++;
		w->fn(w->arg, w->copy->data, w->copy->data != NULL ? NULL : &w->copy->why);
	}
}

static void on_soon(uv_timer_t *timer)
{
	tell_all(timer->data);
}

static void on_read(void *arg, struct cyg_str text, const struct cyg_err *why)
{
	struct treefile *f = arg;
	struct cyg_err err;
	void *data = NULL;

	f->reading = false;
	f->read_ms = cyg_clock_mono_ms();
	if (why != NULL)
		(void)cyg_fail(
		    &err, why->code, "The %s cannot be read: %s", f->kind->what, why->msg);
	else
		(void)f->kind->parse(f->path, text, &data, &err);
	set_copy(f, data, &err);
	if (data == NULL)
		cyg_log_warn("spark", "%s", err.msg);
	tell_all(f);
}

static bool is_fresh(const struct treefile *f)
{
	return f->read_ms != 0 && cyg_clock_mono_ms() < f->read_ms + TREEFILE_AGE_MS;
}

static void tell_soon(struct treefile *f)
{
	(void)uv_timer_start(&f->soon, on_soon, 0, 0);
}

void treefile_want(struct treefile *f, struct treefile_wait *w, treefile_fn fn, void *arg)
{
	const struct reader_spec spec = { f->path, READ_MS, on_read, f };
	struct cyg_err err;

	treefile_wait_cancel(w);
	w->file = f;
	w->fn = fn;
	w->arg = arg;
	cyg_list_add(&f->waits, &w->link);
	if (f->reading)
		return;
	/* While a reader hangs in the kernel, no second one is started. */
	if (f->copy != NULL &&
	    (is_fresh(f) || (f->reader != NULL && !reader_has_ended(f->reader)))) {
		tell_soon(f);
		return;
	}
	cyg_log_debug("spark", "reading the %s", f->kind->what);
	reader_release(CYG_TAKE(f->reader));
	f->reading = reader_start(f->loop, &spec, &f->reader, &err) == 0;
	if (f->reading)
		return;
	set_copy(f, NULL, &err);
	tell_soon(f);
}

void treefile_wait_cancel(struct treefile_wait *w)
{
	if (w->file != NULL)
		cyg_list_remove(&w->file->waits, &w->link);
	w->file = NULL;
	copy_release(CYG_TAKE(w->copy));
}
