/* The clients of a kernel, such as browser tabs. A client is known by its session_id and survives
 * its WebSocket: while it is disconnected its messages are queued (in memory, then in a file), and
 * they are sent when it comes back. */
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/kernel/kernel_priv.h"

#include <string.h>

enum {
	SESSIONS_MAX = 8,               /* ids that one client's messages carry */
	QUEUE_MEMORY = 4 * 1024 * 1024, /* then to disk */
	AWAY_MEMORY = 256 * 1024, /* of a client that is disconnected; the rest goes to disk */
	CODE_NORMAL = 1000,
	CODE_GOING_AWAY = 1001,
};
/* Bytes on disk: of one client's queue, and of all queues of a kernel's disconnected clients
 * together.
 */
static const uint64_t QUEUE_FILE = 4ULL * 1024 * 1024 * 1024;

struct tab {
	struct cyg_link link;
	struct kernel *kernel;
	char *session_id; /* "": it gave none, so it cannot come back */
	char *sessions[SESSIONS_MAX];
	size_t n_sessions, last_session;
	enum kmsg_framing framing;
	struct outq *out;
	struct ws *ws;      /* NULL: disconnected */
	struct kmsg *input; /* an input request that the user has not replied to */
	bool dirty;
	bool given_up;     /* disconnected for too long: messages are only counted */
	size_t lost;       /* messages dropped for lack of room: the client is told first */
	char *lost_parent; /* the request that the first of them belongs to */
};

static bool has_session(const struct tab *t, struct cyg_str session)
{
	for (size_t i = 0; i < t->n_sessions; i++)
		if (cyg_str_eq(session, t->sessions[i]))
			return true;
	return false;
}

static void tab_free(struct tab *t)
{
	cyg_list_remove(&t->kernel->tabs, &t->link);
	if (t->ws != NULL)
		ws_forget(t->ws);
	for (size_t i = 0; i < t->n_sessions; i++)
		free(t->sessions[i]);
	kmsg_unref(t->input);
	outq_free(t->out);
	free(t->lost_parent);
	free(t->session_id);
	free(t);
}

/* Learns that replies to this session are this client's. */
static void learn_session(struct tab *t, struct cyg_str session)
{
	if (session.len == 0 || session.len >= KERNEL_SESSION_MAX || has_session(t, session))
		return;
	if (t->n_sessions == SESSIONS_MAX) {
		free(t->sessions[t->last_session]);
		t->sessions[t->last_session] = cyg_str_dup(session);
		t->last_session = (t->last_session + 1) % SESSIONS_MAX;
		return;
	}
	t->sessions[t->n_sessions++] = cyg_str_dup(session);
}

static struct tab *tab_new(struct kernel *k, struct cyg_str session_id, enum kmsg_framing framing)
{
	const struct outq_limits limits = { QUEUE_MEMORY, QUEUE_FILE, k->owner->journal_dir };
	struct tab *t = cyg_xcalloc(1, sizeof(*t));

	t->kernel = k;
	t->session_id = cyg_str_dup(session_id);
	t->framing = framing;
	t->out = outq_new(&limits);
	learn_session(t, session_id);
	cyg_list_add(&k->tabs, &t->link);
	return t;
}

size_t tabs_connected(const struct kernel *k)
{
	size_t n = 0;

	cyg_list_each (it, &k->tabs) {
		n += CYG_CONTAINER_OF(it, struct tab, link)->ws != NULL;
	}
	return n;
}

static void note_parent(struct tab *t, struct cyg_str parent)
{
	if (t->lost_parent == NULL && parent.len > 2 && parent.len < KERNEL_HEADER_MAX)
		t->lost_parent = cyg_str_dup(parent);
}

/* Drops its queue but keeps the client, so that it is told how many messages it has missed. */
static void tab_give_up(struct tab *t)
{
	const char *running = bridge_running(t->kernel);

	if (t->given_up)
		return;
	t->given_up = true;
	t->lost += outq_frames(t->out);
	outq_clear(t->out);
	cyg_log_warn(t->kernel->id, "%zu messages for a disconnected client are dropped", t->lost);
	if (running != NULL)
		note_parent(t, cyg_str_of(running));
}

/* Keeps the queues of the clients that left last, as many as the limits allow. */
static void bound_parked(struct kernel *k)
{
	size_t kept = 0, places = 0;
	uint64_t bytes = 0;

	for (struct cyg_link *it = k->tabs.head.prev, *before; it != &k->tabs.head; it = before) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		before = it->prev;
		if (t->ws != NULL)
			continue;
		bytes += outq_bytes(t->out);
		if (kept == KERNEL_PARKED_MAX || (kept > 0 && bytes > QUEUE_FILE))
			tab_give_up(t);
		else
			kept += t->given_up ? 0 : 1;
		if (++places > KERNEL_PLACES_MAX)
			tab_free(t);
	}
}

/* ---- messages of the kernel ---- */

/* A client must be told about dropped messages, in the right place. So from here on messages are
 * only counted, until the client has read its queue; then it gets a message with the count. */
static void note_lost(struct tab *t, const struct kmsg *m, const struct cyg_err *err)
{
	note_parent(t, m->json[WIRE_PARENT]);
	if (t->lost++ == 0 && !t->given_up)
		cyg_log_warn(t->kernel->id, "messages for a client are left out: %s", err->msg);
}

static void tab_put(struct tab *t, struct kmsg *m)
{
	struct cyg_err err = { 0 };
	struct wsbuf *frame;
	int rc;

	t->dirty = true;
	if (t->lost > 0 || t->given_up) {
		note_lost(t, m, &err);
		return;
	}
	frame = kmsg_frame(m, t->framing);
	if (frame == NULL)
		rc = cyg_fail(&err, CYG_ELIMIT, "a message is too large for a client's framing");
	else
		rc = outq_put(t->out, frame, &err);
	if (rc < 0)
		note_lost(t, m, &err);
}

/* Writes the queue as far as possible; when it is empty, tells of dropped messages. */
static void tab_flush(struct tab *t)
{
	cyg_autofree char *text = NULL;
	struct kmsg *m;

	t->dirty = false;
	if (t->ws == NULL)
		return;
	ws_flush(t->ws);
	if (t->lost == 0 || !outq_is_empty(t->out))
		return;
	text =
	    cyg_xasprintf("{\"name\":\"stderr\",\"text\":\"[%zu messages of the kernel are missing "
			  "here: there was no room to keep them]\\n\"}",
		t->lost);
	m = bridge_make(t->kernel, "stream", t->lost_parent, text);
	t->lost = 0;
	free(CYG_TAKE(t->lost_parent));
	if (m != NULL)
		tab_put(t, m);
	kmsg_unref(m);
	ws_flush(t->ws);
}

static void note_input(struct tab *t, struct kmsg *m)
{
	struct cyg_str type;

	if (m->channel != WIRE_STDIN || !wire_scan(m->json[WIRE_HEADER], "msg_type", &type) ||
	    !cyg_str_eq(type, "input_request"))
		return;
	kmsg_unref(t->input);
	t->input = kmsg_ref(m);
}

/* Its cell has ended, perhaps by an interrupt: the kernel no longer waits for the input. */
static void note_reply(struct tab *t, const struct wire_msg *msg)
{
	struct cyg_str asked, replied;

	if (t->input != NULL && msg->channel == WIRE_SHELL &&
	    wire_scan(t->input->json[WIRE_PARENT], "msg_id", &asked) &&
	    wire_scan(msg->json[WIRE_PARENT], "msg_id", &replied) && cyg_str_same(asked, replied)) {
		kmsg_unref(t->input);
		t->input = NULL;
	}
}

void tabs_drop_questions(struct kernel *k)
{
	cyg_list_each (it, &k->tabs) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		kmsg_unref(t->input);
		t->input = NULL;
	}
}

void tabs_put(struct kernel *k, struct kmsg *m)
{
	cyg_list_each (it, &k->tabs) {
		tab_put(CYG_CONTAINER_OF(it, struct tab, link), m);
	}
}

void tabs_broadcast(struct kernel *k, const struct wire_msg *msg)
{
	struct kmsg *m = k->tabs.n > 0 ? kmsg_new(msg) : NULL;

	if (m != NULL)
		tabs_put(k, m);
	else if (k->tabs.n > 0)
		cyg_log_error(k->id, "no memory for a message: it is left out");
	kmsg_unref(m);
}

static struct tab *find_by_session(struct kernel *k, struct cyg_str session)
{
	cyg_list_each (it, &k->tabs) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		if (has_session(t, session))
			return t;
	}
	return NULL;
}

void tabs_send(struct kernel *k, struct cyg_str session, const struct wire_msg *msg)
{
	struct tab *t = find_by_session(k, session);
	struct kmsg *m;

	if (session.len == 0 || session.len >= KERNEL_SESSION_MAX)
		return;
	if (t == NULL && !k->adopted)
		return; /* it is closing */
	if (t == NULL) {
		/* The request was sent through an earlier agent; its client has not come back yet.
		 */
		t = tab_new(k, session, KMSG_V1);
		bound_parked(k);
	}
	m = kmsg_new(msg);
	if (m == NULL) {
		cyg_log_error(k->id, "no memory for a reply: it is left out");
		return;
	}
	note_input(t, m);
	note_reply(t, msg);
	tab_put(t, m);
	kmsg_unref(m);
}

void tabs_flush(struct kernel *k)
{
	bool away = false;

	cyg_list_each (it, &k->tabs) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		away = away || (t->dirty && t->ws == NULL);
		if (t->dirty)
			tab_flush(t);
	}
	if (away)
		bound_parked(k);
}

void tabs_end(struct kernel *k, int code)
{
	cyg_list_each_safe (it, &k->tabs) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		if (t->ws != NULL && code != 0) {
			ws_finish(CYG_TAKE(t->ws), code, &k->owner->leaving);
			t->out = NULL;
		}
		tab_free(t);
	}
}

/* ---- messages of the client ---- */

static void on_message(void *arg, bool binary, struct cyg_str message)
{
	struct tab *t = arg;
	struct kmsg_in *in = cyg_xcalloc(1, sizeof(*in));
	struct cyg_err err = { 0 };
	struct cyg_str session = CYG_STR("");
	int rc;

	if (t->framing == KMSG_V1)
		rc = kmsg_parse_v1(message, in, &err);
	else
		rc = kmsg_parse_json(message, binary, in, &err);
	if (rc < 0) {
		cyg_log_warn(t->kernel->id, "client's message dropped: %s", err.msg);
		free(in);
		return;
	}
	if (in->msg.channel != WIRE_IOPUB) {
		(void)wire_scan(in->msg.json[WIRE_HEADER], "session", &session);
		learn_session(t, session);
		if (in->msg.channel == WIRE_STDIN) {
			kmsg_unref(t->input);
			t->input = NULL;
		}
		bridge_send(t->kernel, &in->msg);
	}
	kmsg_in_free(in);
	free(in);
}

static void on_end(void *arg, int code)
{
	struct tab *t = arg;
	struct kernel *k = t->kernel;

	t->ws = NULL;
	/* The list is in the order in which clients left. */
	cyg_list_remove(&k->tabs, &t->link);
	cyg_list_add(&k->tabs, &t->link);
	/* Clients do not reconnect after these two codes; after any other end they do. */
	if (code == CODE_NORMAL || code == CODE_GOING_AWAY || *t->session_id == '\0') {
		tab_free(t);
		return;
	}
	outq_set_memory(t->out, AWAY_MEMORY);
	bound_parked(k);
}

static void on_drain(void *arg)
{
	tab_flush(arg);
}

static struct tab *find_by_id(struct kernel *k, struct cyg_str session_id)
{
	cyg_list_each (it, &k->tabs) {
		struct tab *t = CYG_CONTAINER_OF(it, struct tab, link);

		if (cyg_str_eq(session_id, t->session_id))
			return t;
	}
	return NULL;
}

/* The client's object: kept from before, or new. */
static struct tab *take_place(
    struct kernel *k, struct cyg_str session_id, enum kmsg_framing framing)
{
	struct tab *t = session_id.len > 0 ? find_by_id(k, session_id) : NULL;

	if (t == NULL)
		return tab_new(k, session_id, framing);
	if (t->framing != framing && !outq_is_empty(t->out))
		tab_give_up(t); /* its queue is in the other framing */
	t->framing = framing;
	t->given_up = false;
	outq_set_memory(t->out, QUEUE_MEMORY);
	if (t->ws != NULL)
		ws_forget(
		    CYG_TAKE(t->ws)); /* a stale WebSocket: the same client has connected again */
	outq_rewind(t->out);
	return t;
}

int kernel_attach(struct kernel *k, struct cyg_str session_id, enum kmsg_framing framing, int fd,
    struct cyg_str early, struct cyg_err *err)
{
	struct tab *t = take_place(k, session_id, framing);
	const struct ws_opts opts = {
		.message_max = KERNEL_MESSAGE_MAX,
		.on_message = on_message,
		.on_end = on_end,
		.on_drain = on_drain,
		.arg = t,
		.out = t->out,
	};
	int rc = ws_new(k->owner->opts.loop, fd, early, &opts, &t->ws, err);
	bool ask = t->input != NULL && outq_is_empty(t->out);

	if (rc < 0) {
		tab_free(t);
		return rc;
	}
	tab_flush(t);
	if (ask) { /* it may not have received the input request */
		tab_put(t, t->input);
		tab_flush(t);
	}
	if (k->state == KERNEL_DEAD) /* the clients of that time were told; this one was not */
		bridge_forge(k, "status", NULL, "{\"execution_state\":\"dead\"}");
	return 0;
}
