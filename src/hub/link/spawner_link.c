/* The connection to a spawner: connects, sends requests, and matches replies to them by number.
 * Next: reconcile.c, which applies the spawner's events to servers. */
#include "hub/link/spawner_link.h"

#include "base/clock.h"
#include "base/list.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "ipc/channel.h"
#include "ipc/spawn_codec.h"

#include <string.h>
#include <sys/socket.h>

enum {
	RETRY_MS = 100,
	RETRY_MAX_MS = 2000,
	SWEEP_MS = 500,
	HELLO_MS = 10 * 1000,
	TEMPLATES_MAX = 4096
};

struct open_call {
	struct cyg_link link;
	uint32_t number;
	uint64_t deadline_ms; /* 0: none */
	struct spawner_call call;
};

struct spawner_link {
	uv_loop_t *loop;
	const char *path;
	const struct spawner_events *events;
	void *arg;
	struct ipc_channel *channel; /* NULL: not connected */
	bool up;                     /* HELLO and all TEMPLATEs came */
	bool greeted;                /* HELLO came */
	char (*templates)[CYG_NAME_MAX];
	size_t n_templates;
	bool failing; /* nothing more is sent on it; on_sweep ends it, for this reason: */
	struct cyg_err why;
	bool has_hello;
	struct spawn_hello hello;
	unsigned epoch;
	uint32_t last_number;
	uint64_t retry_ms, connected_ms;
	bool told; /* it was logged that it cannot be reached: once for each failure */
	struct cyg_list calls;
	uv_timer_t retry, sweep;
	int handles;
};

static void connect_now(struct spawner_link *l);

static void on_retry(uv_timer_t *timer)
{
	connect_now(timer->data);
}

static void retry_later(struct spawner_link *l)
{
	(void)uv_timer_start(&l->retry, on_retry, l->retry_ms, 0);
	l->retry_ms = l->retry_ms * 2 < RETRY_MAX_MS ? l->retry_ms * 2 : RETRY_MAX_MS;
}

static void call_end(struct spawner_link *l, struct open_call *c, const struct cyg_err *why)
{
	struct spawner_call call = c->call;
	uint32_t number = c->number;

	cyg_list_remove(&l->calls, &c->link);
	free(c);
	if (call.on_reply != NULL)
		call.on_reply(call.arg, number, why);
}

static struct open_call *call_find(struct spawner_link *l, uint32_t number)
{
	cyg_list_each (it, &l->calls) {
		struct open_call *c = CYG_CONTAINER_OF(it, struct open_call, link);
		if (c->number == number)
			return c;
	}
	return NULL;
}

static void on_end(void *arg, const struct cyg_err *why)
{
	struct spawner_link *l = arg;
	bool was_up = l->up;
	struct cyg_err err;

	l->channel = NULL;
	l->up = l->greeted = l->failing = false;
	(void)cyg_fail(&err, CYG_EBUSY, "The connection to the spawner ended.");
	while (cyg_list_first(&l->calls) != NULL)
		call_end(
		    l, CYG_CONTAINER_OF(cyg_list_first(&l->calls), struct open_call, link), &err);
	cyg_log_warn("spawner", "connection ended: %s", why->msg);
	if (was_up)
		l->events->on_down(l->arg, why);
	retry_later(l);
}

static void drop(struct spawner_link *l, const struct cyg_err *why)
{
	ipc_channel_close(l->channel);
	on_end(l, why);
}

static void come_up(struct spawner_link *l)
{
	if (l->n_templates < l->hello.templates)
		return;
	l->has_hello = l->up = true;
	l->retry_ms = RETRY_MS;
	l->told = false;
	cyg_log_info("spawner", "connected: engine %s, %s", l->hello.engine, l->hello.statement);
	l->events->on_up(l->arg, &l->hello);
}

static int take_hello(struct spawner_link *l, const struct spawn_hello *hello, struct cyg_err *err)
{
	if (l->greeted || hello->templates > TEMPLATES_MAX)
		return cyg_fail(err, CYG_EPROTO, "a second HELLO, or too many templates");
	l->hello = *hello;
	l->greeted = true;
	l->n_templates = 0;
	l->templates = cyg_xrealloc(l->templates, (hello->templates + 1) * sizeof(*l->templates));
	come_up(l);
	return 0;
}

static int take_template(
    struct spawner_link *l, const struct spawn_template *m, struct cyg_err *err)
{
	if (!l->greeted || l->up)
		return cyg_fail(err, CYG_EPROTO, "a template that HELLO did not announce");
	memcpy(l->templates[l->n_templates++], m->name, sizeof(m->name));
	come_up(l);
	return 0;
}

static void take_reply(struct spawner_link *l, const struct spawn_reply *reply)
{
	struct open_call *c = call_find(l, reply->head.request_id);
	struct cyg_err err;

	if (c == NULL)
		return; /* the call was forgotten, or timed out */
	if (reply->code == 0 && reply->address.kind != SPAWN_ADDRESS_NONE &&
	    c->call.on_address != NULL)
		c->call.on_address(c->call.arg, &reply->address);
	if (reply->code == 0) {
		call_end(l, c, NULL);
		return;
	}
	(void)cyg_fail(&err, CYG_ESYS, "%s", reply->message);
	if (reply->code > CYG_OK && reply->code <= CYG_ESYS)
		err.code = (enum cyg_code)reply->code;
	/* CYG_EBUSY means "the outcome is unknown" here, so a spawner's own EBUSY becomes a
	 * refusal. */
	if (err.code == CYG_EBUSY)
		err.code = CYG_ELIMIT;
	call_end(l, c, &err);
}

static void on_item(struct spawner_link *l, const struct spawn_item *item)
{
	struct open_call *c = call_find(l, item->head.request_id);

	if (c != NULL && c->call.on_item != NULL)
		c->call.on_item(c->call.arg, item);
}

static void on_counts(struct spawner_link *l, const struct spawn_counts *counts)
{
	struct open_call *c = call_find(l, counts->head.request_id);

	if (c != NULL && c->call.on_counts != NULL)
		c->call.on_counts(c->call.arg, counts);
}

static void on_message(void *arg, const void *data, size_t len, int *fds, size_t n_fds)
{
	struct spawner_link *l = arg;
	const struct spawn_head *head = NULL;
	struct cyg_err err;

	for (size_t i = 0; i < n_fds; i++)
		cyg_close(fds[i]);
	if (spawn_msg_check(data, len, &head, &err) < 0 ||
	    (head->type != SPAWN_HELLO && head->type != SPAWN_TEMPLATE && !l->up &&
		cyg_fail(&err, CYG_EPROTO, "no HELLO first"))) {
		drop(l, &err);
		return;
	}
	switch (head->type) {
	case SPAWN_HELLO:
		if (take_hello(l, data, &err) < 0)
			drop(l, &err);
		break;
	case SPAWN_TEMPLATE:
		if (take_template(l, data, &err) < 0)
			drop(l, &err);
		break;
	case SPAWN_REPLY:
		take_reply(l, data);
		break;
	case SPAWN_ITEM:
		on_item(l, data);
		break;
	case SPAWN_COUNTS:
		on_counts(l, data);
		break;
	case SPAWN_STAGE:
		l->events->on_stage(l->arg, data);
		break;
	case SPAWN_TAIL:
		l->events->on_tail(l->arg, data);
		break;
	case SPAWN_GONE:
		l->events->on_gone(l->arg, data);
		break;
	default:
		(void)cyg_fail(
		    &err, CYG_EPROTO, "message of type %u is not for the hub", head->type);
		drop(l, &err);
		break;
	}
}

static const struct ipc_events channel_events = { on_message, on_end };

/* The socket's folder belongs to the spawner; another user who could bind there would get
 * credentials. */
static int check_peer(int fd, struct cyg_err *err)
{
	uid_t uid = 0;
	pid_t pid = 0;

	if (unixsock_peer(fd, &uid, &pid, err) < 0)
		return -CYG_ESYS;
	if (uid != 0 && uid != geteuid())
		return cyg_fail(err, CYG_EDENIED, "the socket belongs to uid %u", uid);
	return 0;
}

static int open_channel(struct spawner_link *l, struct cyg_err *err)
{
	cyg_autoclose int fd = unixsock_connect(l->path, SOCK_SEQPACKET, err);
	if (fd < 0)
		return fd;
	if (check_peer(fd, err) < 0)
		return -CYG_EDENIED;
	return ipc_channel_new(l->loop, CYG_TAKE_FD(fd), &channel_events, l, &l->channel, err);
}

static void connect_now(struct spawner_link *l)
{
	struct cyg_err err;

	if (open_channel(l, &err) < 0) {
		if (!l->told)
			cyg_log_warn("spawner", "cannot connect, trying on: %s", err.msg);
		l->told = true;
		retry_later(l);
		return;
	}
	l->epoch++;
	l->connected_ms = cyg_clock_mono_ms();
}

static void on_sweep(uv_timer_t *timer)
{
	struct spawner_link *l = timer->data;
	uint64_t now_ms = cyg_clock_mono_ms();
	struct cyg_err err;

	if (l->channel != NULL && !l->up && now_ms > l->connected_ms + HELLO_MS) {
		(void)cyg_fail(&err, CYG_ETIMEOUT, "no HELLO in %d s", HELLO_MS / 1000);
		drop(l, &err);
		return;
	}
	if (l->channel != NULL && l->failing) {
		drop(l, &l->why);
		return;
	}
	(void)cyg_fail(&err, CYG_EBUSY, "The spawner did not answer in time.");
	cyg_list_each_safe (it, &l->calls) {
		struct open_call *c = CYG_CONTAINER_OF(it, struct open_call, link);
		if (c->deadline_ms == 0 || c->deadline_ms > now_ms)
			continue;
		call_end(l, c, &err);
		return; /* the callback may have changed the list; the next sweep goes on */
	}
}

int spawner_link_new(uv_loop_t *loop, const char *path, const struct spawner_events *events,
    void *arg, struct spawner_link **ret, struct cyg_err *err)
{
	struct spawner_link *l = cyg_xcalloc(1, sizeof(*l));

	(void)err;
	l->loop = loop;
	l->path = path;
	l->events = events;
	l->arg = arg;
	l->retry_ms = RETRY_MS;
	cyg_list_init(&l->calls);
	(void)uv_timer_init(loop, &l->retry);
	(void)uv_timer_init(loop, &l->sweep);
	l->retry.data = l->sweep.data = l;
	l->handles = 2;
	(void)uv_timer_start(&l->retry, on_retry, 0, 0);
	(void)uv_timer_start(&l->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
	*ret = l;
	return 0;
}

static void on_handle_closed(uv_handle_t *h)
{
	struct spawner_link *l = h->data;

	if (--l->handles == 0) {
		free(l->templates);
		free(l);
	}
}

void spawner_link_close(struct spawner_link *l)
{
	if (l == NULL)
		return;
	ipc_channel_close(l->channel);
	cyg_list_each_safe (it, &l->calls)
		free(CYG_CONTAINER_OF(it, struct open_call, link));
	uv_close((uv_handle_t *)&l->retry, on_handle_closed);
	uv_close((uv_handle_t *)&l->sweep, on_handle_closed);
}

bool spawner_link_has(const struct spawner_link *l, const char *template_)
{
	for (size_t i = 0; i < l->n_templates; i++)
		if (strcmp(l->templates[i], template_) == 0)
			return true;
	return false;
}

bool spawner_link_is_up(const struct spawner_link *l)
{
	return l->up && !l->failing;
}

void spawner_link_distrust(struct spawner_link *l, const struct cyg_err *why)
{
	if (l->channel == NULL || l->failing)
		return;
	l->failing = true;
	l->why = *why;
}

unsigned spawner_link_epoch(const struct spawner_link *l)
{
	return l->epoch;
}

const struct spawn_hello *spawner_link_hello(const struct spawner_link *l)
{
	return l->has_hello ? &l->hello : NULL;
}

uint32_t spawner_link_call(struct spawner_link *l, enum spawn_type type, void *msg, size_t len,
    const struct spawner_call *call)
{
	struct cyg_err err;
	uint32_t number = l->last_number + 1 != 0 ? l->last_number + 1 : 1;

	if (!spawner_link_is_up(l))
		return 0;
	spawn_msg_init(msg, type, len, number);
	if (ipc_channel_send(l->channel, msg, len, NULL, 0, &err) < 0) {
		/* No other request may be sent into a connection that is about to end. */
		spawner_link_distrust(l, &err);
		return 0;
	}
	l->last_number = number;
	struct open_call *c = cyg_xcalloc(1, sizeof(*c));
	c->number = number;
	c->call = *call;
	c->deadline_ms = call->timeout_ms > 0 ? cyg_clock_mono_ms() + call->timeout_ms : 0;
	cyg_list_add(&l->calls, &c->link);
	return number;
}

void spawner_link_forget(struct spawner_link *l, uint32_t number)
{
	struct open_call *c = call_find(l, number);

	if (c == NULL)
		return;
	c->call.on_item = NULL;
	c->call.on_counts = NULL;
	c->call.on_address = NULL;
	c->call.on_reply = NULL;
}

void spawner_link_forget_all(struct spawner_link *l, const void *arg)
{
	cyg_list_each (it, &l->calls) {
		struct open_call *c = CYG_CONTAINER_OF(it, struct open_call, link);
		if (c->call.arg != arg)
			continue;
		c->call.on_item = NULL;
		c->call.on_counts = NULL;
		c->call.on_address = NULL;
		c->call.on_reply = NULL;
	}
}
