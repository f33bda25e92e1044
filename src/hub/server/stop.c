/* The clean-up, through which every server ends: its route leaves the table, STOP is sent, GONE
 * comes, the end is recorded, the record is stopped. It begins when the user stops the server, when
 * a start fails, or when the server dies. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "http/client.h"
#include "hub/server/srv_priv.h"

#include <string.h>

enum { LINES_MAX = 200 };

/* ---- the end that the user is shown ---- */

/* The last lines of a script matter most: what is over LINES_MAX is left out at the front. */
static struct cyg_str last_lines(struct cyg_str text)
{
	size_t lines = 0;

	for (size_t i = text.len; i > 0; i--) {
		/* The newline at the very end ends the last line and begins none. */
		if (text.p[i - 1] == '\n' && i < text.len && ++lines == LINES_MAX)
			return cyg_str_skip(text, i);
	}
	return text;
}

/* A line as it was printed. If it is not UTF-8 (it may begin inside a character), bytes that are
 * not ASCII become '?'. */
static json_t *line_json(struct cyg_str line)
{
	json_t *text = json_stringn(line.p, line.len);

	if (text != NULL)
		return text;
	cyg_autofree char *ascii = cyg_str_dup(line);
	for (size_t i = 0; i < line.len; i++) {
		if ((unsigned char)ascii[i] >= 0x80)
			ascii[i] = '?';
	}
	return json_string(ascii);
}

json_t *srv_tail_lines(const struct srv *srv)
{
	json_t *lines = json_array();
	struct cyg_str rest = last_lines(cyg_str_of(srv->tail != NULL ? srv->tail : "")), line;

	while (rest.len > 0 && cyg_str_next(&rest, '\n', &line))
		(void)json_array_append_new(lines, line_json(line));
	return lines;
}

void srv_record_end(struct srv *srv)
{
	if (srv->by_person || srv->cause[0] == '\0')
		return;
	json_t *lines = srv_tail_lines(srv);
	cyg_autofree char *text = json_dumps(lines, JSON_COMPACT);
	json_decref(lines);
	const struct store_end row = {
		.user = srv->user,
		.server = srv->name,
		.cause = srv->cause,
		.message = srv->end_message,
		.lines = text,
		.at_us = cyg_clock_wall_us(),
	};
	store_put(srv->srvs->opts.store, &store_ends, &row);
}

/* ---- both are done: the container and the route are gone ---- */

static void finish_if_done(struct srv *srv)
{
	if (srv->state != SRV_STOPPING || !srv->gone || !srv->unrouted)
		return;
	store_intent_end(srv->srvs->opts.store, srv->id, "", "gone", cyg_clock_wall_us());
	srv_record_end(srv);
	srv_close_credential(srv);
	srv_move(srv, SRV_STOPPED, srv->cause[0] != '\0' ? srv->cause : "stopped");
}

static void on_unrouted(void *arg, uint32_t ticket, const struct cyg_err *why)
{
	struct srv *srv = arg;

	if (srv->push_ticket != ticket)
		return;
	/* A proxy that does not answer gets the whole table when it does: the route is not in it.
	 */
	(void)why;
	srv->push_ticket = 0;
	srv->unrouted = true;
	finish_if_done(srv);
}

void srv_gone(struct srv *srv)
{
	srv->gone = true;
	finish_if_done(srv);
}

/* ---- asking the spawner ---- */

static void on_stop_reply(void *arg, uint32_t number, const struct cyg_err *why)
{
	struct srv *srv = arg;

	if (srv->state != SRV_STOPPING || srv->stop_number != number || why == NULL)
		return;
	if (why->code == CYG_ENOENT)
		srv_gone(srv); /* nothing of that id is there */
	else
		cyg_log_warn(srv->object, "%s: cannot stop it: %s", srv->id, why->msg);
}

void srv_send_stop(struct srv *srv)
{
	struct spawn_stop m = { 0 };
	struct spawner_call call = { .on_reply = on_stop_reply, .arg = srv };
	bool again = srv->stop_asked_ms != 0;

	const struct spawner *spawner = srv_spawner(srv);

	if (srv->state != SRV_STOPPING || srv->gone || spawner == NULL)
		return;
	(void)cyg_str_copy(m.server_id, sizeof(m.server_id), cyg_str_of(srv->id));
	m.grace_ms = again ? 0 : (uint32_t)srv->srvs->opts.stop_grace_ms;
	uint32_t number = spawner_link_call(spawner->link, SPAWN_STOP, &m, sizeof(m), &call);
	if (number == 0)
		return;
	srv->stop_number = number;
	srv->stop_asked_ms = cyg_clock_mono_ms();
}

/* Also when the row could not be written: a stop needs no disk. */
static void send_stop_now(void *arg, const struct cyg_err *why)
{
	(void)why;
	srv_send_stop(arg);
}

/* ---- how the clean-up begins ---- */

static void set_end(struct srv *srv, const char *cause, const char *message)
{
	(void)cyg_str_copy(srv->cause, sizeof(srv->cause), cyg_str_of(cause));
	cyg_str_copy_utf8(srv->end_message, sizeof(srv->end_message), cyg_str_of(message));
}

void srv_cleanup(struct srv *srv, const char *cause, const char *message)
{
	struct srvs *srvs = srv->srvs;

	if (srv->state == SRV_STOPPED || srv->state == SRV_STOPPING)
		return;
	set_end(srv, cause, message);
	if (srv->state == SRV_QUEUED) { /* nothing of it is outside */
		srv_record_end(srv);
		srv_move(srv, SRV_STOPPED, cause);
		srvs_progress_queue(srvs);
		return;
	}
	http_call_cancel(srv->call);
	srv->call = NULL;
	cyg_cleanse(srv->credential, sizeof(srv->credential)); /* it ends before SPAWN was sent */
	srv->stop_asked_ms = 0;
	srv->unrouted = false;
	if (!srv->gone)
		store_intent_begin(srvs->opts.store, srv->id, "stop", cyg_clock_wall_us());
	srv_move(srv, SRV_STOPPING, cause);
	srv->push_ticket = proxy_link_push(srvs->opts.proxy, on_unrouted, srv);
	if (!srv->gone)
		store_after_turn(srvs->opts.store, send_stop_now, srv);
}

void srv_stop(struct srv *srv, const struct audit_actor *by)
{
	/* A user who stops a server that is ending already is still shown how it ended. */
	if (srv->state == SRV_STOPPED || srv->state == SRV_STOPPING)
		return;
	srv->by_person = true;
	srv->by = by;
	srv_cleanup(srv, "stopped", "Stopped as asked.");
	srv->by = NULL;
}
