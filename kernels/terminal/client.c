/* The browsers of one terminal: each has a WebSocket with terminado's messages, which are JSON
 * arrays in text frames. */
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/tape.h"
#include "kernels/terminal/terminal_priv.h"

enum {
	MESSAGE_MAX = 4 * 1024 * 1024,
	FRAME_MAX = 2 * 1024 * 1024,
	CODE_NORMAL = 1000,
	SIZE_MAX_CELLS = 4096
};

struct client {
	struct cyg_link link;
	struct terminal *terminal;
	struct outq *out;
	struct ws *ws;
	unsigned rows, cols; /* 0: not said yet */
};

static void client_free(struct client *c)
{
	cyg_list_remove(&c->terminal->clients, &c->link);
	if (c->ws != NULL)
		ws_forget(c->ws);
	outq_free(c->out);
	free(c);
}

/* ["stdout", text], ["setup", {}], ["disconnect", 1] */
static struct wsbuf *frame_of(const char *kind, struct cyg_str text)
{
	cyg_autobuf struct cyg_buf b;
	struct jsonw w;

	cyg_buf_init(&b, FRAME_MAX);
	jsonw_init(&w, &b);
	jsonw_array(&w);
	jsonw_cstr(&w, kind);
	if (text.p != NULL) {
		jsonw_str(&w, text);
	} else if (cyg_str_eq(cyg_str_of(kind), "setup")) {
		jsonw_object(&w);
		jsonw_object_end(&w);
	} else {
		jsonw_int(&w, 1);
	}
	jsonw_array_end(&w);
	return jsonw_finish(&w, NULL) == 0 ? wsbuf_copy(WSBUF_TEXT, cyg_buf_str(&b)) : NULL;
}

static void client_put(struct client *c, struct wsbuf *b)
{
	if (b == NULL || outq_put(c->out, b, NULL) < 0) {
		ws_drop(c->ws); /* it reconnects and gets the ring */
		return;
	}
	ws_flush(c->ws);
}

void clients_stdout(struct terminal *t, struct cyg_str text)
{
	struct wsbuf *b = t->clients.n > 0 ? frame_of("stdout", text) : NULL;

	if (b == NULL)
		return;
	cyg_list_each (it, &t->clients) {
		struct client *c = CYG_CONTAINER_OF(it, struct client, link);

		if (c->ws != NULL)
			client_put(c, b);
	}
	wsbuf_unref(b);
}

void clients_end(struct terminal *t, bool disconnect)
{
	struct wsbuf *b = disconnect ? frame_of("disconnect", (struct cyg_str){ NULL, 0 }) : NULL;

	cyg_list_each_safe (it, &t->clients) {
		struct client *c = CYG_CONTAINER_OF(it, struct client, link);

		/* What it has not read yet is sent before the close frame. */
		if (b != NULL && c->ws != NULL && outq_put(c->out, b, NULL) == 0) {
			ws_finish(CYG_TAKE(c->ws), CODE_NORMAL, &t->owner->leaving);
			c->out = NULL;
		}
		client_free(c);
	}
	wsbuf_unref(b);
}

uint64_t clients_least_waiting(const struct terminal *t)
{
	uint64_t least = UINT64_MAX;

	cyg_list_each (it, &t->clients) {
		uint64_t n = outq_bytes(CYG_CONTAINER_OF(it, struct client, link)->out);

		least = n < least ? n : least;
	}
	return least == UINT64_MAX ? 0 : least;
}

/* The terminal has the size of its smallest browser. */
static void update_size(struct terminal *t)
{
	unsigned rows = 0, cols = 0;

	cyg_list_each (it, &t->clients) {
		const struct client *c = CYG_CONTAINER_OF(it, struct client, link);

		if (c->rows == 0 || c->cols == 0)
			continue;
		rows = rows == 0 || c->rows < rows ? c->rows : rows;
		cols = cols == 0 || c->cols < cols ? c->cols : cols;
	}
	if (rows > 0)
		terminal_resize(t, rows, cols);
}

static void on_set_size(struct client *c, const struct tape *tape, tape_node first)
{
	tape_node rows = tape_next(tape, first);
	tape_node cols = rows != TAPE_NONE ? tape_next(tape, rows) : TAPE_NONE;
	int64_t r = 0, n = 0;

	if (cols == TAPE_NONE || tape_int(tape, rows, &r, NULL) < 0 ||
	    tape_int(tape, cols, &n, NULL) < 0 || r < 1 || n < 1 || r > SIZE_MAX_CELLS ||
	    n > SIZE_MAX_CELLS)
		return;
	c->rows = (unsigned)r;
	c->cols = (unsigned)n;
	update_size(c->terminal);
}

static void on_stdin(struct client *c, const struct tape *tape, tape_node first)
{
	tape_node text = tape_next(tape, first);
	cyg_autobuf struct cyg_buf b;

	cyg_buf_init(&b, MESSAGE_MAX);
	if (text != TAPE_NONE && tape_string(tape, text, &b, NULL) == 0)
		terminal_input(c->terminal, cyg_buf_str(&b));
}

static void on_message(void *arg, bool binary, struct cyg_str message)
{
	struct client *c = arg;
	struct tape *tape = NULL;
	tape_node root, first;

	if (binary || tape_parse(message, &tape, NULL, NULL) < 0)
		return;
	root = tape_root(tape);
	first = tape_type_of(tape, root) == TAPE_ARRAY ? tape_first(tape, root) : TAPE_NONE;
	if (first != TAPE_NONE && tape_string_eq(tape, first, "stdin"))
		on_stdin(c, tape, first);
	else if (first != TAPE_NONE && tape_string_eq(tape, first, "set_size"))
		on_set_size(c, tape, first);
	tape_free(tape);
	terminal_watch(c->terminal);
}

static void on_end(void *arg, int code)
{
	struct client *c = arg;
	struct terminal *t = c->terminal;

	c->ws = NULL;
	client_free(c);
	update_size(t);
	terminal_watch(t);
}

static void on_drain(void *arg)
{
	struct client *c = arg;

	terminal_watch(c->terminal);
}

/* Sends "setup" and the latest output, from the ring. */
static void greet(struct client *c)
{
	struct wsbuf *setup = frame_of("setup", (struct cyg_str){ NULL, 0 });
	cyg_autobuf struct cyg_buf past;
	struct wsbuf *replay = NULL;

	cyg_buf_init(&past, RING_BYTES);
	if (ring_read(c->terminal->ring, &past, NULL) == 0 && past.len > 0) {
		/* A character that is not complete yet is sent when it is. */
		size_t len = past.len - c->terminal->tail_len;

		replay = frame_of("stdout", (struct cyg_str){ past.data, len });
	}
	if (setup != NULL)
		(void)outq_put(c->out, setup, NULL);
	if (replay != NULL)
		(void)outq_put(c->out, replay, NULL);
	wsbuf_unref(setup);
	wsbuf_unref(replay);
	ws_flush(c->ws);
}

int terminal_attach(struct terminal *t, int fd, struct cyg_str early, struct cyg_err *err)
{
	const struct outq_limits limits = { TERMINAL_CLIENT_MAX, 0, NULL };
	struct client *c = cyg_xcalloc(1, sizeof(*c));
	struct ws_opts opts = { .message_max = MESSAGE_MAX,
		.on_message = on_message,
		.on_end = on_end,
		.on_drain = on_drain,
		.arg = c };
	int rc;

	c->terminal = t;
	c->out = outq_new(&limits);
	opts.out = c->out;
	cyg_list_add(&t->clients, &c->link);
	rc = ws_new(t->owner->opts.loop, fd, early, &opts, &c->ws, err);
	if (rc < 0) {
		client_free(c);
		return rc;
	}
	greet(c);
	return 0;
}
