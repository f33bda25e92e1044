/* The engine of this machine as the core sees it: requests start work on local servers; their
 * answers come in the loop's next turn at the earliest. */
#include "spawner/local/local.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/unixsock.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { UID_FIRST = 200000, UID_COUNT = 100000, PROC_TEXT_MAX = 1 << 20 };

/* ---- opening ---- */

static void read_text(const char *path, struct cyg_buf *out)
{
	cyg_buf_init(out, PROC_TEXT_MAX);
	(void)cyg_file_read(AT_FDCWD, path, true, out, NULL);
}

/* The name of this spawner's parent group. Two spawners on one machine (tests, two sites) must not
 * share one, because we kill unknown processes in our groups. It is the run folder's path with '-'
 * for each '/'; a path that is long, or holds other characters, so that two paths could give one
 * name, gets a hash. */
static void instance_name(const char *run_dir, char out[CGROUP_INSTANCE_MAX])
{
	static const uint8_t key[16] = "cygnet instance";
	size_t len = strlen(run_dir) - 1, keep = CGROUP_INSTANCE_MAX - 10;
	bool plain = len < CGROUP_INSTANCE_MAX;

	(void)snprintf(out, CGROUP_INSTANCE_MAX, "%s", run_dir + 1);
	for (char *at = out; *at != '\0'; at++) {
		plain = plain && (isalnum((unsigned char)*at) || *at == '/');
		if (!isalnum((unsigned char)*at))
			*at = '-';
	}
	if (!plain)
		(void)snprintf(out + (len < keep ? len : keep), 10, "-%08x",
		    (unsigned)cyg_siphash(key, run_dir, len + 1));
}

static void open_cgroups(struct local *l)
{
	cyg_autobuf struct cyg_buf mounts = { 0 }, own = { 0 };
	char instance[CGROUP_INSTANCE_MAX];

	instance_name(l->folders.run_dir, instance);
	read_text("/proc/self/mounts", &mounts);
	read_text("/proc/self/cgroup", &own);
	cgroups_open(&l->cgroups, instance, mounts.data, own.data);
	if (l->cgroups.why[0] != '\0')
		cyg_log_warn("limits", "not all limits can be enforced: %s", l->cgroups.why);
}

static int open_uids(struct local *l, struct cyg_err *err)
{
	cyg_autoclose int dir =
	    openat(l->folders.state, "spawner", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (dir < 0)
		return cyg_fail_sys(err, errno, "state folder");
	return l->folders.many_uids ? uids_open(dir, UID_FIRST, UID_COUNT, &l->uids, err)
				    : uids_open(dir, geteuid(), 0, &l->uids, err);
}

int local_open(struct local *l, struct cyg_err *err)
{
	cyg_list_init(&l->servers);
	cyg_list_init(&l->answers);
	if (open_uids(l, err) < 0)
		return -(int)err->code;
	open_cgroups(l);
	return 0;
}

void local_abandon(struct local *l)
{
	cgroups_close(&l->cgroups);
	uids_close(l->uids);
	folders_close(&l->folders);
}

int local_listen(const struct local *l, struct cyg_err *err)
{
	char path[CYG_PATH_MAX + 32];

	(void)snprintf(path, sizeof(path), "%s/spawner/ctl.sock", l->folders.run_dir);
	return unixsock_listen(path, SOCK_SEQPACKET, l->folders.group == (gid_t)-1 ? 0600 : 0660,
	    l->folders.group, err);
}

/* ---- answers ---- */

struct answer {
	struct cyg_link link;
	struct engine_answer to;
	bool has_item, failed;
	struct spawn_item item;
	struct cyg_err err;
};

static void on_later(uv_timer_t *timer)
{
	struct local *l = timer->data;
	struct cyg_link *first;

	/* Only the answers that are here now: new ones wait for the next turn. */
	for (size_t n = l->answers.n; n > 0 && (first = cyg_list_first(&l->answers)) != NULL; n--) {
		struct answer *a = CYG_CONTAINER_OF(first, struct answer, link);

		cyg_list_remove(&l->answers, &a->link);
		if (a->has_item)
			a->to.item(a->to.arg, &a->item);
		else
			a->to.done(a->to.arg, a->failed ? &a->err : NULL);
		free(a);
	}
	if (l->answers.n > 0)
		(void)uv_timer_start(timer, on_later, 0, 0);
}

void local_answer_later(struct local *l, const struct engine_answer *answer,
    const struct spawn_item *item, const struct cyg_err *err)
{
	struct answer *a = cyg_xcalloc(1, sizeof(*a));

	a->to = *answer;
	a->has_item = item != NULL;
	a->failed = err != NULL;
	if (item != NULL)
		a->item = *item;
	if (err != NULL)
		a->err = *err;
	cyg_list_add(&l->answers, &a->link);
	(void)uv_timer_start(&l->later, on_later, 0, 0);
}

/* ---- requests ---- */

static void engine_open(void *engine, const struct engine_events *events, void *arg)
{
	struct local *l = engine;

	l->events = events;
	l->core = arg;
	(void)uv_timer_init(l->loop, &l->later);
	l->later.data = l;
	adopt_all(l);
}

static void engine_describe(void *engine, struct spawn_hello *ret)
{
	const struct local *l = engine;

	(void)cyg_str_copy(ret->engine, sizeof(ret->engine), cyg_str_of(l->kind->name));
	ret->isolation = l->kind->isolation;
	ret->limits = cgroups_enforced(&l->cgroups);
	if (ret->isolation == SPAWN_ISOLATION_SANDBOX && !l->folders.many_uids)
		ret->isolation = SPAWN_ISOLATION_SANDBOX_ONE_UID;
	(void)cyg_str_copy(ret->statement, sizeof(ret->statement), cyg_str_of(l->statement));
}

static void engine_start(void *engine, const struct spawn_spawn *request,
    const struct policy_grant *grant, const struct engine_answer *answer)
{
	struct local *l = engine;
	struct local_server *s = local_server_new(l, request);

	s->grant = *grant;
	s->memory_limit = grant->memory_bytes;
	s->cpu_milli = grant->cpu_milli;
	s->answer = *answer;
	start_begin(s);
}

static void engine_stop(
    void *engine, const char *id, uint32_t grace_ms, const struct engine_answer *answer)
{
	struct local *l = engine;
	struct local_server *s = local_server_find(l, id);
	struct cyg_err err;

	if (s == NULL) {
		(void)cyg_fail(&err, CYG_ENOENT, "no server %s", id);
		local_answer_later(l, answer, NULL, &err);
		return;
	}
	local_answer_later(l, answer, NULL, NULL);
	s->asked = true;
	end_stop(s, grace_ms);
}

static void add_item(struct local *l, const struct local_server *s, const struct engine_answer *to)
{
	struct spawn_item item;

	local_server_item(s, &item);
	local_answer_later(l, to, &item, NULL);
}

static void engine_list(void *engine, const struct engine_answer *answer)
{
	struct local *l = engine;

	cyg_list_each (it, &l->servers) {
		const struct local_server *s = CYG_CONTAINER_OF(it, struct local_server, link);

		/* A server whose start failed is not listed: its start is answered with the error.
		 */
		if (!s->nameless && (s->step != STEP_REMOVING || s->ready))
			add_item(l, s, answer);
	}
	local_answer_later(l, answer, NULL, NULL);
}

static void engine_stat(void *engine, const char *id, const struct engine_answer *answer)
{
	struct local *l = engine;
	const struct local_server *s = local_server_find(l, id);
	struct cyg_err err;

	if (s != NULL) {
		add_item(l, s, answer);
		local_answer_later(l, answer, NULL, NULL);
		return;
	}
	(void)cyg_fail(&err, CYG_ENOENT, "no server %s", id);
	local_answer_later(l, answer, NULL, &err);
}

/* ---- handing over ---- */

static bool is_concerned(const struct local *l, const struct local_server *s,
    const struct spawn_hand_over *m, const struct uids_place *from)
{
	uint64_t id = s->spec.user_id;

	/* For a server that a spawner without user ids started only the uid is known. */
	if (s->nameless)
		return false;
	return id == m->to_id || (id != 0 && id == m->from_id) ||
	       (l->folders.many_uids ? s->account.uid == from->uid : id == 0);
}

static int hand_over(struct local *l, const struct spawn_hand_over *m, struct cyg_err *err)
{
	const struct uids_user to = {
		.id = m->to_id, .made_us = m->to_made_us, .name = m->to_name, .name_before = ""
	};
	struct uids_place from;

	if (uids_find(l->uids, m->from_id, m->from_name, &from, err) < 0)
		return -(int)CYG_ENOENT;
	cyg_list_each (it, &l->servers) {
		const struct local_server *s = CYG_CONTAINER_OF(it, struct local_server, link);

		if (is_concerned(l, s, m, &from))
			return cyg_fail(err, CYG_EBUSY,
			    "server %s of '%s' must be stopped before a home is handed over",
			    s->spec.server_id, s->spec.user);
	}
	return uids_hand_over(l->uids, m->from_id, m->from_name, &to, err);
}

static void engine_hand_over(
    void *engine, const struct spawn_hand_over *m, const struct engine_answer *answer)
{
	struct local *l = engine;
	struct cyg_err err;
	bool done = hand_over(l, m, &err) == 0;

	if (done)
		cyg_log_info("uids", "uid and home of user %llu '%s' are user %llu's now",
		    (unsigned long long)m->from_id, m->from_name, (unsigned long long)m->to_id);
	local_answer_later(l, answer, NULL, done ? NULL : &err);
}

/* ---- closing ---- */

static bool any_removing(const struct local *l)
{
	cyg_list_each (it, &l->servers)
		if (CYG_CONTAINER_OF(it, struct local_server, link)->step == STEP_REMOVING)
			return true;
	return false;
}

static void engine_close(void *engine)
{
	struct local *l = engine;

	/* Removals that have begun are completed; servers live on and are adopted by the next
	 * spawner. */
	while (any_removing(l))
		(void)uv_run(l->loop, UV_RUN_ONCE);
	cyg_list_each_safe (it, &l->servers)
		local_server_drop(CYG_CONTAINER_OF(it, struct local_server, link));
	cyg_list_each_safe (it, &l->answers) {
		struct answer *a = CYG_CONTAINER_OF(it, struct answer, link);

		cyg_list_remove(&l->answers, &a->link);
		free(a);
	}
	uv_close((uv_handle_t *)&l->later, NULL);
	local_abandon(l);
}

const struct engine local_engine = {
	.open = engine_open,
	.describe = engine_describe,
	.start = engine_start,
	.stop = engine_stop,
	.list = engine_list,
	.stat = engine_stat,
	.hand_over = engine_hand_over,
	.close = engine_close,
};
