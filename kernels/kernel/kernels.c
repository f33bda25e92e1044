/* The list of kernels: adds, finds and removes them, and takes over those that an earlier agent
 * left. Starting and ending a kernel's process is start.c. */
#include "kernels/kernel/kernels.h"

#include "base/clock.h"
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/base/init_link.h"
#include "kernels/kernel/kernel_priv.h"

#include <string.h>

enum { CODE_NORMAL = 1000 };
static const char TAG[] = "kernel:";

int kernels_new(const struct kernels_opts *opts, struct kernels **ret, struct cyg_err *err)
{
	struct kernels *ks = cyg_xcalloc(1, sizeof(*ks));
	int rc;

	ks->opts = *opts;
	cyg_list_init(&ks->list);
	cyg_list_init(&ks->leaving);
	cyg_random_uuid(ks->session);
	ks->connection_dir = cyg_xasprintf("%s/connection", opts->run_dir);
	ks->journal_dir = cyg_xasprintf("%s/journal", opts->run_dir);
	ks->log_dir = cyg_xasprintf("%s/log", opts->run_dir);
	rc = cyg_file_mkdirs(ks->connection_dir, 0700, err);
	if (rc == 0)
		rc = cyg_file_mkdirs(ks->journal_dir, 0700, err);
	if (rc == 0)
		rc = cyg_file_mkdirs(ks->log_dir, 0700, err);
	if (rc == 0)
		rc = zsock_pool_new(opts->loop, &ks->pool, err);
	if (rc < 0) {
		kernels_close(ks);
		return rc;
	}
	*ret = ks;
	return 0;
}

static void kernels_free(void *p)
{
	struct kernels *ks = p;

	free(ks->connection_dir);
	free(ks->journal_dir);
	free(ks->log_dir);
	free(ks);
}

/* ---- one kernel's memory ---- */

static void kernel_free(void *p)
{
	struct kernel *k = p;

	free(k->name);
	free(k->cwd);
	free(k->session_name);
	free(k->conn_path);
	spec_free(k->spec);
	wire_signer_free(k->signer);
	cyg_cleanse(&k->conn, sizeof(k->conn));
	free(k->reason);
	free(k);
}

static void on_timer_closed(uv_handle_t *h)
{
	struct kernel *k = h->data;

	ev_free_later(h->loop, k, kernel_free);
}

/* Off the list; its sockets, clients and waiters end; the process is not touched. */
static void kernel_detach(struct kernel *k, int code)
{
	init_link_forget(k->owner->opts.init, k);
	launch_forget(k);
	kernel_close_sockets(k);
	tabs_end(k, code);
	bridge_drop_held(k);
	bridge_drop_running(k);
	cyg_list_each_safe (it, &k->waiters) {
		cyg_list_remove(&k->waiters, it);
		free(CYG_CONTAINER_OF(it, struct kernel_waiter, link));
	}
	cyg_list_remove(&k->owner->list, &k->link);
	uv_close((uv_handle_t *)&k->timer, on_timer_closed);
}

void kernel_remove(struct kernel *k)
{
	struct kernels *ks = k->owner;

	cyg_log_info(k->id, "%s: gone", k->name);
	connfile_remove(&k->conn, k->conn_path);
	kernel_detach(k, CODE_NORMAL);
	ks->opts.on_change(ks->opts.arg);
}

void kernels_close(struct kernels *ks)
{
	if (ks == NULL)
		return;
	cyg_list_each_safe (it, &ks->list) {
		kernel_detach(kernel_of(it), 0);
	}
	ws_end_all(&ks->leaving);
	zsock_pool_free(ks->pool);
	ev_free_later(ks->opts.loop, ks, kernels_free);
}

static struct kernel *kernel_new(
    struct kernels *ks, const char *id, const char *name, const char *cwd, const char *session_name)
{
	struct kernel *k = cyg_xcalloc(1, sizeof(*k));

	k->owner = ks;
	(void)cyg_str_copy(k->id, sizeof(k->id), cyg_str_of(id));
	k->name = cyg_xstrdup(name);
	k->cwd = cyg_xstrdup(cwd);
	k->session_name = session_name != NULL ? cyg_xstrdup(session_name) : NULL;
	k->conn_path = cyg_xasprintf("%s/kernel-%s.json", ks->connection_dir, k->id);
	k->last_activity_us = cyg_clock_wall_us();
	(void)cyg_str_copy(k->exec, sizeof(k->exec), CYG_STR("starting"));
	cyg_random_uuid(k->session); /* until the kernel's own is known */
	cyg_list_init(&k->tabs);
	cyg_list_init(&k->waiters);
	cyg_list_init(&k->held);
	cyg_list_init(&k->running);
	(void)uv_timer_init(ks->opts.loop, &k->timer);
	k->timer.data = k;
	cyg_list_add(&ks->list, &k->link);
	return k;
}

/* ---- asking about them ---- */

const struct cyg_list *kernels_list(const struct kernels *ks)
{
	return &ks->list;
}

struct kernel *kernel_of(struct cyg_link *link)
{
	return CYG_CONTAINER_OF(link, struct kernel, link);
}

struct kernel *kernels_find(const struct kernels *ks, struct cyg_str id)
{
	cyg_list_each (it, &ks->list) {
		struct kernel *k = kernel_of(it);

		if (cyg_str_eq(id, k->id))
			return k;
	}
	return NULL;
}

int64_t kernels_last_activity(const struct kernels *ks)
{
	return ks->last_activity_us;
}

size_t kernels_connections(const struct kernels *ks)
{
	size_t n = 0;

	cyg_list_each (it, &ks->list) {
		n += tabs_connected(kernel_of(it));
	}
	return n;
}

void kernels_forget(struct kernels *ks, const void *arg)
{
	cyg_list_each (it, &ks->list) {
		struct kernel *k = kernel_of(it);

		cyg_list_each (w, &k->waiters) {
			struct kernel_waiter *waiter =
			    CYG_CONTAINER_OF(w, struct kernel_waiter, link);

			if (waiter->arg == arg)
				waiter->done = NULL;
		}
	}
}

const char *kernel_id(const struct kernel *k)
{
	return k->id;
}

const char *kernel_name(const struct kernel *k)
{
	return k->name;
}

static const char *execution_state(const struct kernel *k)
{
	switch (k->state) {
	case KERNEL_READY:
	case KERNEL_STOPPING:
		return k->exec;
	case KERNEL_RESTARTING:
		return "restarting";
	case KERNEL_DEAD:
		return "dead";
	case KERNEL_EXPECTED:
	case KERNEL_LAUNCHING:
	case KERNEL_STARTING:
	case KERNEL_STATES:
		break;
	}
	return "starting";
}

bool kernel_is_busy(const struct kernel *k)
{
	return strcmp(execution_state(k), "busy") == 0;
}

void kernel_write(const struct kernel *k, struct jsonw *w)
{
	char date[CYG_ISO8601_SIZE];

	cyg_clock_format(k->last_activity_us, date);
	jsonw_object(w);
	jsonw_key_cstr(w, "id", k->id);
	jsonw_key_cstr(w, "name", k->name);
	jsonw_key_cstr(w, "last_activity", date);
	jsonw_key_cstr(w, "execution_state", execution_state(k));
	jsonw_key_int(w, "connections", (int64_t)tabs_connected(k));
	if (k->reason != NULL)
		jsonw_key_cstr(w, "reason", k->reason);
	jsonw_object_end(w);
}

void kernel_write_record(const struct kernel *k, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_cstr(w, "id", k->id);
	jsonw_key_cstr(w, "name", k->name);
	jsonw_key_cstr(w, "cwd", k->cwd);
	if (k->session_name != NULL)
		jsonw_key_cstr(w, "session_name", k->session_name);
	jsonw_object_end(w);
}

/* ---- a new one ---- */

bool kernels_id_is_ok(struct cyg_str id)
{
	if (id.len != KERNEL_ID_SIZE - 1)
		return false;
	for (size_t i = 0; i < id.len; i++) {
		char c = id.p[i];
		bool dash = i == 8 || i == 13 || i == 18 || i == 23;

		if (dash ? c != '-'
			 : !(c >= '0' && c <= '9') && !(c >= 'a' && c <= 'f') &&
			       !(c >= 'A' && c <= 'F'))
			return false;
	}
	return true;
}

void kernels_start(
    struct kernels *ks, const struct kernel_start *start, kernel_done_fn done, void *arg)
{
	char id[KERNEL_ID_SIZE];
	struct kernel_waiter *w = cyg_xcalloc(1, sizeof(*w));
	struct kernel *k;

	cyg_random_uuid(id);
	k = kernel_new(ks, start->id != NULL ? start->id : id, start->spec->name, start->cwd,
	    start->session_name);
	k->spec = start->spec;
	k->state = KERNEL_LAUNCHING;
	*w = (struct kernel_waiter){ .what = KERNEL_WAIT_STARTED, .done = done, .arg = arg };
	cyg_list_add(&k->waiters, &w->link);
	kernel_launch(k);
}

void kernels_shutdown(struct kernels *ks)
{
	cyg_list_each_safe (it, &ks->list) {
		kernel_shutdown(kernel_of(it), NULL, NULL);
	}
}

/* ---- after a restart of the agent ---- */

void kernels_expect(
    struct kernels *ks, const char *id, const char *name, const char *cwd, const char *session_name)
{
	struct kernel *k;

	if (!kernels_id_is_ok(cyg_str_of(id)) || kernels_find(ks, cyg_str_of(id)) != NULL)
		return;
	k = kernel_new(ks, id, name, cwd, session_name);
	k->state = KERNEL_EXPECTED;
}

/* The kernel of a child's tag; one that no record names is made when the connection file can tell
 * what it is. */
static struct kernel *kernel_of_tag(struct kernels *ks, const char *tag)
{
	struct cyg_str id = cyg_str_of(tag);
	struct kernel *k;

	if (!cyg_str_starts(id, TAG))
		return NULL;
	id = cyg_str_skip(id, sizeof(TAG) - 1);
	if (id.len != KERNEL_ID_SIZE - 1)
		return NULL;
	k = kernels_find(ks, id);
	if (k == NULL) {
		k = kernel_new(ks, id.p, "unknown", "/", NULL);
		k->state = KERNEL_EXPECTED;
	}
	return k;
}

/* Reads the connection file and connects. */
static int reattach(struct kernel *k, struct cyg_err *err)
{
	int rc = connfile_read(k->conn_path, &k->conn, err);

	if (rc < 0)
		return rc;
	if (k->conn.kernel_name[0] != '\0') {
		free(k->name);
		k->name = cyg_xstrdup(k->conn.kernel_name);
	}
	launch_find(k, false);
	k->signer = wire_signer_new(cyg_str_of(k->conn.key));
	return kernel_open_sockets(k, err);
}

void kernels_on_child(struct kernels *ks, const struct init_child *child)
{
	struct kernel *k = kernel_of_tag(ks, child->tag);
	struct cyg_err err = { 0 };

	if (k == NULL || k->state != KERNEL_EXPECTED)
		return;
	k->pid = child->pid;
	k->adopted = true;
	k->launched_ms = cyg_clock_mono_ms();
	if (reattach(k, &err) < 0) {
		cyg_log_warn(k->id, "cannot attach to pid %d: %s", k->pid, err.msg);
		kernel_move(k, KERNEL_DEAD, "its connection file is lost");
		return;
	}
	/* Its state is not known until it sends a status. */
	(void)cyg_str_copy(k->exec, sizeof(k->exec), CYG_STR("busy"));
	kernel_move(k, KERNEL_STARTING, "left by an earlier agent");
	kernel_begin_asking(k);
}

void kernels_on_exited(struct kernels *ks, const struct init_exited *exited)
{
	struct kernel *k = kernel_of_tag(ks, exited->tag);
	struct cyg_err err = { 0 };

	if (k == NULL)
		return;
	if (k->state == KERNEL_EXPECTED && reattach(k, &err) < 0) {
		cyg_log_warn(k->id, "ended while no agent was there: %s", err.msg);
		kernel_remove(k);
		return;
	}
	if (k->state != KERNEL_EXPECTED && k->pid != exited->pid)
		return; /* an earlier process of it */
	kernel_on_exited(k, exited);
}

void kernels_settle(struct kernels *ks)
{
	cyg_list_each_safe (it, &ks->list) {
		struct kernel *k = kernel_of(it);

		if (k->state != KERNEL_EXPECTED)
			continue;
		/* init reported its end to an earlier agent, which died before it handled that. */
		if (reattach(k, NULL) == 0)
			kernel_on_death(k, cyg_xstrdup("it ended while no agent was there"));
		else
			kernel_remove(k);
	}
}
