/* The connections of hubs to the spawner: accepts them after a check of the uid, passes each
 * message of a hub to the function that handles it (requests.c), and sends replies and events.
 * Usually there is one hub; a restarted one may connect before the old connection is closed. */
#include "base/mem.h"
#include "base/str.h"
#include "daemon/listener.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"
#include "ipc/channel.h"
#include "ipc/spawn_codec.h"
#include "spawner/core/spawner.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct hub {
	struct cyg_link link;
	struct spawner *spawner;
	struct ipc_channel *channel;
	uint64_t serial;
	bool cut; /* a message could not be sent: its connection is ending */
};

uint64_t hub_serial_of(const struct hub *hub)
{
	return hub->serial;
}

static void drop(struct hub *hub)
{
	cyg_list_remove(&hub->spawner->hubs, &hub->link);
	ipc_channel_close(hub->channel);
	free(hub);
}

static void hub_send(
    struct hub *hub, struct spawn_head *msg, enum spawn_type type, size_t len, uint32_t request_id)
{
	struct cyg_err err;

	if (hub->cut)
		return;
	spawn_msg_init(msg, type, len, request_id);
	if (ipc_channel_send(hub->channel, msg, len, NULL, 0, &err) < 0) {
		/* The hub must not work on without this message. When it connects again it asks for
		 * the list. */
		cyg_log_warn("hub", "a message cannot be sent (%s): connection ended", err.msg);
		hub->cut = true;
		ipc_channel_end(hub->channel);
	}
}

struct spawner *hub_spawner(const struct hub *hub)
{
	return hub->spawner;
}

struct hub *hub_find(struct spawner *sp, uint64_t serial)
{
	cyg_list_each (l, &sp->hubs) {
		struct hub *hub = CYG_CONTAINER_OF(l, struct hub, link);

		if (hub->serial == serial)
			return hub;
	}
	return NULL;
}

void hub_reply(struct hub *hub, uint32_t request_id, const struct cyg_err *err,
    const struct spawn_address *address)
{
	struct spawn_reply m = { .code = err == NULL ? 0 : (int32_t)err->code };

	if (hub == NULL)
		return;
	if (err != NULL)
		(void)cyg_str_copy(m.message, sizeof(m.message), cyg_str_of(err->msg));
	if (address != NULL)
		m.address = *address;
	hub_send(hub, &m.head, SPAWN_REPLY, sizeof(m), request_id);
}

void hub_item(struct hub *hub, uint32_t request_id, struct spawn_item *item)
{
	hub_send(hub, &item->head, SPAWN_ITEM, sizeof(*item), request_id);
}

void hub_counts(struct hub *hub, uint32_t request_id, struct spawn_counts *counts)
{
	hub_send(hub, &counts->head, SPAWN_COUNTS, sizeof(*counts), request_id);
}

void hubs_tell(struct spawner *sp, struct spawn_head *msg, enum spawn_type type, size_t len)
{
	cyg_list_each (l, &sp->hubs)
		hub_send(CYG_CONTAINER_OF(l, struct hub, link), msg, type, len, 0);
}

void hubs_tell_gone(struct spawner *sp, struct spawn_gone *gone)
{
	hubs_tell(sp, &gone->head, SPAWN_GONE, sizeof(*gone));
	if (sp->hubs.n > 0)
		return;
	if (sp->n_missed == SPAWNER_MISSED_MAX)
		memmove(sp->missed, sp->missed + 1, sizeof(*sp->missed) * --sp->n_missed);
	sp->missed[sp->n_missed++] = *gone;
}

static void (*const handlers[SPAWN_TYPES])(struct hub *, const struct spawn_head *) = {
	[SPAWN_SPAWN] = request_spawn,
	[SPAWN_STOP] = request_stop,
	[SPAWN_LIST] = request_list,
	[SPAWN_STAT] = request_stat,
	[SPAWN_PING] = request_ping,
	[SPAWN_HAND_OVER] = request_hand_over,
	[SPAWN_METRICS] = request_metrics,
};

static void on_message(void *arg, const void *data, size_t len, int *fds, size_t n_fds)
{
	union {
		struct spawn_head head;
		struct spawn_spawn spawn;
		uint64_t align;
		char bytes[sizeof(struct spawn_spawn)];
	} m;
	const struct spawn_head *head;
	struct hub *hub = arg;
	struct cyg_err err;

	for (size_t i = 0; i < n_fds; i++)
		cyg_close(fds[i]);
	/* No request is longer than SPAWN; the copy is aligned whatever the channel's buffer is. */
	if (len > sizeof(m)) {
		cyg_log_warn("hub", "a message of %zu bytes: connection closed", len);
		drop(hub);
		return;
	}
	memcpy(m.bytes, data, len);
	if (spawn_msg_check(m.bytes, len, &head, &err) < 0 || handlers[head->type] == NULL) {
		cyg_log_warn("hub", "not a request: connection closed");
		drop(hub);
		return;
	}
	handlers[head->type](hub, head);
	cyg_cleanse(&m, sizeof(m));
}

static void on_end(void *arg, const struct cyg_err *why)
{
	cyg_log_info("hub", "disconnected");
	drop(arg);
}

/* Sends HELLO, the names of the templates, and the ends of servers that no hub was told of. */
static void greet(struct hub *hub)
{
	struct spawner *sp = hub->spawner;
	struct spawn_hello hello = { .templates = (uint32_t)policy_n_templates(sp->policy) };

	sp->engine->describe(sp->engine_arg, &hello);
	hub_send(hub, &hello.head, SPAWN_HELLO, sizeof(hello), 0);
	for (size_t i = 0; i < hello.templates; i++) {
		struct spawn_template m = { 0 };

		(void)cyg_str_copy(
		    m.name, sizeof(m.name), cyg_str_of(policy_template_name(sp->policy, i)));
		hub_send(hub, &m.head, SPAWN_TEMPLATE, sizeof(m), 0);
	}
	for (size_t i = 0; i < sp->n_missed; i++)
		hub_send(hub, &sp->missed[i].head, SPAWN_GONE, sizeof(sp->missed[i]), 0);
	sp->n_missed = 0;
}

static void accept_one(struct spawner *sp, int fd)
{
	static const struct ipc_events events = { .on_message = on_message, .on_end = on_end };
	struct cyg_err err;
	struct hub *hub;
	uid_t uid;
	pid_t pid;

	if (unixsock_peer(fd, &uid, &pid, &err) < 0 || (uid != sp->hub_uid && uid != geteuid())) {
		cyg_log_warn("hub", "connection of another user refused");
		cyg_close(fd);
		return;
	}
	if (sp->hubs.n == SPAWNER_HUBS_MAX) {
		cyg_log_warn("hub", "more than %d connections: refused", SPAWNER_HUBS_MAX);
		cyg_close(fd);
		return;
	}
	hub = cyg_xcalloc(1, sizeof(*hub));
	hub->spawner = sp;
	hub->serial = ++sp->hub_serial;
	if (ipc_channel_new(sp->loop, fd, &events, hub, &hub->channel, &err) < 0) {
		cyg_log_warn("hub", "%s", err.msg);
		free(hub);
		return;
	}
	cyg_list_add(&sp->hubs, &hub->link);
	cyg_log_info("hub", "connected, uid %u pid %d", uid, (int)pid);
	greet(hub);
}

static void on_accepted(void *spawner, int fd, const struct sockaddr *addr, socklen_t len)
{
	(void)addr;
	(void)len;
	accept_one(spawner, fd);
}

static void on_lack(void *spawner, int errnum)
{
	(void)spawner;
	cyg_log_warn("hub", "accept: %s", strerror(errnum));
}

static const struct cyg_listener_events listener_events = { .on_accepted = on_accepted,
	.on_lack = on_lack };

void hubs_open(struct spawner *sp)
{
	struct cyg_err err;

	if (cyg_listener_start(sp->loop, sp->listen_fd, &listener_events, sp, &sp->listener, &err) <
	    0)
		cyg_log_error("hub", "%s", err.msg);
	else
		sp->listen_fd = -1; /* the listener's */
}

void hubs_close(struct spawner *sp)
{
	cyg_list_each_safe (l, &sp->hubs)
		drop(CYG_CONTAINER_OF(l, struct hub, link));
	cyg_listener_close(CYG_TAKE(sp->listener));
}
