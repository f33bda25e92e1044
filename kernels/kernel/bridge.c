/* Messages between one kernel and its clients. Messages of the kernel are always read, checked,
 * searched for what we track (status, the request they belong to) and passed to tab.c. Messages of
 * clients are signed and sent to the kernel. */
#include "base/clock.h"
#include "base/enc.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/kernel/kernel_priv.h"

#include <stdio.h>
#include <string.h>

static const char DELIMITER[] = "<IDS|MSG>";
static const char VERSION[] = "5.3";

/* A status for these requests does not count as busy or idle (jupyter_server's
 * untracked_message_types). */
static const char *const untracked[] = { "comm_info_request", "comm_info_reply",
	"kernel_info_request", "kernel_info_reply", "shutdown_request", "shutdown_reply",
	"interrupt_request", "interrupt_reply", "debug_request", "debug_reply", "stream",
	"display_data", "update_display_data", "execute_input", "execute_result", "error", "status",
	"clear_output", "debug_event", "input_request", "input_reply", "create_subshell_request",
	"delete_subshell_request", "list_subshell_request" };

static bool is_untracked(struct cyg_str type)
{
	for (size_t i = 0; i < CYG_N(untracked); i++)
		if (cyg_str_eq(type, untracked[i]))
			return true;
	return false;
}

static struct cyg_str scan(struct cyg_str json, const char *key)
{
	struct cyg_str v = CYG_STR("");

	(void)wire_scan(json, key, &v);
	return v;
}

/* ---- execute requests that have no reply yet ---- */

struct running {
	struct cyg_link link;
	char *header;
};

static void running_add(struct kernel *k, struct cyg_str header)
{
	struct running *r;

	if (k->running.n >= KERNEL_RUNNING_MAX || header.len >= KERNEL_HEADER_MAX)
		return;
	r = cyg_xcalloc(1, sizeof(*r));
	r->header = cyg_str_dup(header);
	cyg_list_add(&k->running, &r->link);
}

static void running_remove(struct kernel *k, struct cyg_link *it)
{
	struct running *r = CYG_CONTAINER_OF(it, struct running, link);

	cyg_list_remove(&k->running, it);
	free(r->header);
	free(r);
}

static void running_end(struct kernel *k, struct cyg_str msg_id)
{
	cyg_list_each_safe (it, &k->running) {
		const struct running *r = CYG_CONTAINER_OF(it, struct running, link);

		if (cyg_str_same(scan(cyg_str_of(r->header), "msg_id"), msg_id))
			running_remove(k, it);
	}
}

const char *bridge_running(const struct kernel *k)
{
	struct cyg_link *first = cyg_list_first(&k->running);

	return first != NULL ? CYG_CONTAINER_OF(first, struct running, link)->header : NULL;
}

void bridge_drop_running(struct kernel *k)
{
	cyg_list_each_safe (it, &k->running) {
		running_remove(k, it);
	}
	tabs_drop_questions(k);
}

/* ---- to the kernel ---- */

static void send_now(struct kernel *k, const struct wire_msg *msg)
{
	struct cyg_str few[WIRE_FRONT + WIRE_JSON_PARTS];
	cyg_autofree struct cyg_str *many = NULL;
	struct cyg_str *parts;
	struct cyg_err err = { 0 };
	char sig[WIRE_SIG_LEN + 1];
	size_t n = 0;

	if (k->sock[msg->channel] == NULL)
		return;
	if (msg->n_buffers > 0)
		many = cyg_xcalloc(CYG_N(few) + msg->n_buffers, sizeof(*many));
	parts = many != NULL ? many : few;
	wire_sign(k->signer, msg->json, sig);
	parts[n++] = CYG_STR(DELIMITER);
	parts[n++] = cyg_str_of(sig);
	for (int i = 0; i < WIRE_JSON_PARTS; i++)
		parts[n++] = msg->json[i];
	for (size_t i = 0; i < msg->n_buffers; i++)
		parts[n++] = msg->buffers[i];
	if (zsock_send(k->sock[msg->channel], parts, n, &err) < 0)
		cyg_log_warn(k->id, "%s", err.msg);
}

/* A held message is a kmsg: it has the parts in one block. */
struct held {
	struct cyg_link link;
	struct kmsg *msg;
};

static void hold(struct kernel *k, const struct wire_msg *msg)
{
	struct held *h;
	struct kmsg *m = kmsg_new(msg);

	if (m == NULL || k->held_bytes + m->v1->len > KERNEL_HELD_MAX) {
		cyg_log_warn(k->id, "too many messages before the kernel is ready: one is dropped");
		kmsg_unref(m);
		return;
	}
	h = cyg_xcalloc(1, sizeof(*h));
	h->msg = m;
	k->held_bytes += m->v1->len;
	cyg_list_add(&k->held, &h->link);
}

void bridge_send(struct kernel *k, const struct wire_msg *msg)
{
	struct cyg_str header = msg->json[WIRE_HEADER];

	if (k->state == KERNEL_DEAD)
		return;
	if (msg->channel == WIRE_SHELL && cyg_str_eq(scan(header, "msg_type"), "execute_request"))
		running_add(k, header);
	if (k->state == KERNEL_READY || k->state == KERNEL_STOPPING)
		send_now(k, msg);
	else
		hold(k, msg);
}

static void send_kmsg(struct kernel *k, struct kmsg *m)
{
	struct kmsg_in *in = cyg_xcalloc(1, sizeof(*in));
	unsigned char *payload = wsbuf_payload(m->v1);
	size_t len = m->v1->len - (size_t)(payload - (m->v1->data + m->v1->start));

	if (kmsg_parse_v1((struct cyg_str){ (const char *)payload, len }, in, NULL) == 0)
		send_now(k, &in->msg);
	free(in);
}

void bridge_send_held(struct kernel *k)
{
	cyg_list_each (it, &k->held) {
		send_kmsg(k, CYG_CONTAINER_OF(it, struct held, link)->msg);
	}
	bridge_drop_held(k);
}

void bridge_drop_held(struct kernel *k)
{
	cyg_list_each_safe (it, &k->held) {
		struct held *h = CYG_CONTAINER_OF(it, struct held, link);

		cyg_list_remove(&k->held, it);
		kmsg_unref(h->msg);
		free(h);
	}
	k->held_bytes = 0;
}

static void write_header(char *out, size_t size, const char *type, const char *session)
{
	char id[KERNEL_ID_SIZE], date[CYG_ISO8601_SIZE];

	cyg_random_uuid(id);
	cyg_clock_format(cyg_clock_wall_us(), date);
	(void)snprintf(out, size,
	    "{\"msg_id\":\"%s\",\"session\":\"%s\",\"username\":\"\",\"date\":\"%s\","
	    "\"msg_type\":\"%s\",\"version\":\"%s\"}",
	    id, session, date, type, VERSION);
}

void bridge_ask(struct kernel *k, enum wire_channel channel, const char *type, const char *content)
{
	char header[KERNEL_HEADER_MAX];
	struct wire_msg msg = { .channel = channel };

	write_header(header, sizeof(header), type, k->owner->session);
	msg.json[WIRE_HEADER] = cyg_str_of(header);
	msg.json[WIRE_PARENT] = CYG_STR("{}");
	msg.json[WIRE_METADATA] = CYG_STR("{}");
	msg.json[WIRE_CONTENT] = cyg_str_of(content);
	send_now(k, &msg);
}

struct kmsg *bridge_make(
    struct kernel *k, const char *type, const char *parent, const char *content)
{
	char header[KERNEL_HEADER_MAX];
	struct wire_msg msg = { .channel = WIRE_IOPUB };

	/* The front end takes the session of every message for the kernel's, and drops messages
	 * that it queued for another session: so we use the kernel's own. */
	write_header(header, sizeof(header), type, k->session);
	msg.json[WIRE_HEADER] = cyg_str_of(header);
	msg.json[WIRE_PARENT] = cyg_str_of(parent != NULL ? parent : "{}");
	msg.json[WIRE_METADATA] = CYG_STR("{}");
	msg.json[WIRE_CONTENT] = cyg_str_of(content);
	return kmsg_new(&msg);
}

void bridge_forge(struct kernel *k, const char *type, const char *parent, const char *content)
{
	struct kmsg *m = k->tabs.n > 0 ? bridge_make(k, type, parent, content) : NULL;

	if (m != NULL)
		tabs_put(k, m);
	kmsg_unref(m);
	tabs_flush(k);
}

/* ---- from the kernel ---- */

/* Records which request the kernel is executing, so that a death can be explained in its cell: the
 * oldest without a reply, or the one that a status names (when an earlier agent sent it). */
static void note_running(struct kernel *k, struct cyg_str state, const struct wire_msg *msg)
{
	struct cyg_str parent = msg->json[WIRE_PARENT];

	if (k->running.n == 0 && cyg_str_eq(state, "busy") &&
	    cyg_str_eq(scan(parent, "msg_type"), "execute_request"))
		running_add(k, parent);
}

static void note_done(struct kernel *k, struct cyg_str state, const struct wire_msg *msg)
{
	const struct kernels_opts *opts = &k->owner->opts;
	struct cyg_str parent = msg->json[WIRE_PARENT];

	if (opts->on_done != NULL && cyg_str_eq(state, "idle") &&
	    cyg_str_eq(scan(parent, "msg_type"), "execute_request"))
		opts->on_done(opts->arg, k, scan(parent, "msg_id"));
}

static void note_status(struct kernel *k, const struct wire_msg *msg)
{
	struct cyg_str state = scan(msg->json[WIRE_CONTENT], "execution_state");

	note_running(k, state, msg);
	note_done(k, state, msg);
	if (is_untracked(scan(msg->json[WIRE_PARENT], "msg_type")))
		return;
	/* A kernel may send "starting" after its shell has replied to us, and send no other status
	 * until a cell is run: so this one is ignored. */
	if (k->shell_answered && cyg_str_eq(state, "starting"))
		return;
	if (cyg_str_copy(k->exec, sizeof(k->exec), state))
		k->exec_known = !cyg_str_eq(state, "starting");
}

static void on_iopub(void *arg, const struct cyg_str *parts, size_t n)
{
	struct kernel *k = arg;
	struct cyg_err err = { 0 };
	struct wire_msg msg;
	struct cyg_str type, parent_session;

	if (wire_read(k->signer, WIRE_IOPUB, parts, n, &msg, &err) < 0) {
		cyg_log_warn(k->id, "%s", err.msg);
		return;
	}
	k->heard_iopub = true;
	type = scan(msg.json[WIRE_HEADER], "msg_type");
	if (cyg_str_eq(type, "iopub_welcome"))
		return; /* JEP 65: for the subscriber, which is us */
	(void)cyg_str_copy(k->session, sizeof(k->session), scan(msg.json[WIRE_HEADER], "session"));
	parent_session = scan(msg.json[WIRE_PARENT], "session");
	if (cyg_str_eq(parent_session, k->owner->session))
		return;
	/* Executing counts as activity, and so does any output; a page's kernel_info_request does
	 * not. */
	if (!is_untracked(type) || !is_untracked(scan(msg.json[WIRE_PARENT], "msg_type")) ||
	    strcmp(k->exec, "busy") == 0)
		k->last_activity_us = k->owner->last_activity_us = cyg_clock_wall_us();
	if (cyg_str_eq(type, "status"))
		note_status(k, &msg);
	tabs_broadcast(k, &msg);
}

static void on_own_reply(struct kernel *k, const struct wire_msg *msg)
{
	if (!cyg_str_eq(scan(msg->json[WIRE_HEADER], "msg_type"), "kernel_info_reply"))
		return;
	k->answered = true;
	k->shell_answered = k->shell_answered || msg->channel == WIRE_SHELL;
	/* The shell handles requests in order, so earlier ones are done: the kernel is idle. Later
	 * statuses are more exact. */
	if (msg->channel == WIRE_SHELL && !k->exec_known)
		(void)cyg_str_copy(k->exec, sizeof(k->exec), CYG_STR("idle"));
}

static void on_reply(
    struct kernel *k, enum wire_channel channel, const struct cyg_str *parts, size_t n)
{
	struct cyg_err err = { 0 };
	struct wire_msg msg;
	struct cyg_str session;

	if (wire_read(k->signer, channel, parts, n, &msg, &err) < 0) {
		cyg_log_warn(k->id, "%s", err.msg);
		return;
	}
	session = scan(msg.json[WIRE_PARENT], "session");
	if (channel == WIRE_SHELL && k->running.n > 0)
		running_end(k, scan(msg.json[WIRE_PARENT], "msg_id"));
	if (cyg_str_eq(session, k->owner->session))
		on_own_reply(k, &msg);
	else
		tabs_send(k, session, &msg);
}

static void on_shell(void *arg, const struct cyg_str *parts, size_t n)
{
	on_reply(arg, WIRE_SHELL, parts, n);
}

static void on_control(void *arg, const struct cyg_str *parts, size_t n)
{
	on_reply(arg, WIRE_CONTROL, parts, n);
}

static void on_stdin(void *arg, const struct cyg_str *parts, size_t n)
{
	on_reply(arg, WIRE_STDIN, parts, n);
}

static void on_batch_end(void *arg)
{
	struct kernel *k = arg;

	tabs_flush(k);
	kernel_check_ready(k);
}

const struct zsock_events bridge_events[WIRE_CHANNELS] = {
	[WIRE_SHELL] = { on_shell, on_batch_end },
	[WIRE_CONTROL] = { on_control, on_batch_end },
	[WIRE_STDIN] = { on_stdin, on_batch_end },
	[WIRE_IOPUB] = { on_iopub, on_batch_end },
};
