/* The start of a server, read downwards: account, record, folders, home, limits, container, and
 * init's first line. Every failure calls start_failed, which cleans up as an end does. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/local/local.h"
#include "spawner/local/record.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void account_known(struct local_server *s);

static void give_answer(struct local_server *s, const struct cyg_err *err)
{
	if (s->answer.done != NULL)
		local_answer_later(s->local, &s->answer, NULL, err);
	s->answer.done = NULL;
}

void start_failed(struct local_server *s, const struct cyg_err *err)
{
	local_server_stage(s, NULL, true);
	s->failure = *err;
	end_remove(s); /* and then tells */
}

static void on_account(void *arg, const struct uids_account *p, const struct cyg_err *err)
{
	struct local_server *s = arg;

	s->lookup = NULL;
	if (err != NULL) {
		start_failed(s, err);
		return;
	}
	s->account = *p;
	account_known(s);
}

/* Finds uid and home in the spawner's own file. */
static int find_place(struct local_server *s, struct cyg_err *err)
{
	const struct folders *f = &s->local->folders;
	const struct uids_user user = { .id = s->spec.user_id,
		.made_us = s->spec.user_made_us,
		.name = s->spec.user,
		.name_before = s->spec.name_before };
	cyg_autoclose int homes = openat(f->state, "homes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct uids_place place;

	if (homes < 0)
		return cyg_fail_sys(err, errno, "homes");
	if (uids_get(s->local->uids, homes, &user, &place, err) < 0)
		return -(int)err->code;
	s->account.uid = f->many_uids ? place.uid : geteuid();
	s->account.gid = f->many_uids ? place.uid : getegid();
	memcpy(s->home_folder, place.home, sizeof(s->home_folder));
	return 0;
}

/* Finds uid and home by the template's rule; *known: they are set already, no lookup was started.
 */
static int find_account(struct local_server *s, bool *known, struct cyg_err *err)
{
	struct local *l = s->local;

	*known = true;
	if (l->folders.many_uids && uids_check_name("/etc/passwd", s->spec.user, err) < 0)
		return -(int)CYG_EDENIED;
	if (!l->folders.many_uids || s->grant.template_->uid != POLICY_UID_NSS)
		return find_place(s, err);
	*known = false;
	return uids_lookup_start(l->loop, s->spec.user, on_account, s, &s->lookup, err);
}

void start_begin(struct local_server *s)
{
	struct cyg_err err;
	bool known;

	local_server_stage(s, "folders", false);
	if (find_account(s, &known, &err) < 0)
		start_failed(s, &err);
	else if (known)
		account_known(s);
}

static int write_record(const struct local_server *s, struct cyg_err *err)
{
	struct record r = { .user_id = s->spec.user_id,
		.uid = s->account.uid,
		.cpu_milli = s->cpu_milli,
		.memory_bytes = s->memory_limit,
		.started_us = s->started_us,
		.init = s->init };

	memcpy(r.id, s->spec.server_id, sizeof(r.id));
	memcpy(r.user, s->spec.user, sizeof(r.user));
	memcpy(r.server, s->spec.server, sizeof(r.server));
	return record_write(s->local->folders.records, &r, err);
}

static int make_home(struct local_server *s, struct cyg_err *err)
{
	if (s->account.home[0] != '\0') {
		memcpy(s->home, s->account.home, sizeof(s->home));
		return 0;
	}
	folders_home_path(&s->local->folders, s->home_folder, s->home);
	return folders_make_home(&s->local->folders, s->home_folder, &s->account, err);
}

static int make_limits(struct local_server *s, struct cyg_err *err)
{
	const struct cgroup_limits limits = { .memory_bytes = s->memory_limit,
		.pids = s->grant.template_->pids_max,
		.cpu_milli = s->cpu_milli };

	return cgroup_make(&s->local->cgroups, s->spec.server_id, &limits, err);
}

static void on_not_ready(uv_timer_t *timer)
{
	struct local_server *s = timer->data;

	(void)snprintf(s->out_last, sizeof(s->out_last),
	    "it printed nothing for %d s; perhaps a folder that its template mounts does not respond",
	    LOCAL_READY_MS / 1000);
	end_stop(s, 0);
}

static int run_container(struct local_server *s, int listen_fd, struct cyg_err *err)
{
	struct local *l = s->local;
	struct launch base = { .account = &s->account, .out = s->out_fd };
	char **argv = NULL;
	char name[RECORD_NAME_MAX];
	int r;

	if (l->files.rlim_max != 0)
		base.files = &l->files;
	record_file_name(name, s->spec.server_id, "pid");
	base.started_fd = openat(
	    l->folders.records, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (base.started_fd < 0)
		return cyg_fail_sys(err, errno, "write '%s'", name);
	r = cgroup_open_procs(&l->cgroups, s->spec.server_id, base.procs, &base.n_procs, err);
	if (r == 0)
		r = command_make(s, &argv, err);
	if (r == 0)
		r = l->kind->start(l->kind_arg, s, &base, argv, listen_fd, err);
	command_free(argv);
	cyg_close(base.started_fd);
	for (size_t i = 0; i < base.n_procs; i++)
		cyg_close(base.procs[i]);
	return r;
}

static int prepare(struct local_server *s, struct cyg_err *err)
{
	const struct folders *f = &s->local->folders;
	cyg_autoclose int listen_fd = -1;

	if (write_record(s, err) < 0 || output_open(s, false, err) < 0 ||
	    folders_make_run(f, s->spec.server_id, &s->account, err) < 0)
		return -(int)err->code;
	listen_fd = folders_listen(f, s->spec.server_id, err);
	if (listen_fd < 0)
		return -(int)err->code;
	if (!s->local->kind->own_secrets && s->spec.credential[0] != '\0' &&
	    folders_write_credential(f, s->spec.server_id, &s->account, s->spec.credential, err) <
		0)
		return -(int)err->code;
	local_server_stage(s, "home", false);
	if (make_home(s, err) < 0)
		return -(int)err->code;
	local_server_stage(s, "limits", false);
	if (make_limits(s, err) < 0)
		return -(int)err->code;
	local_server_stage(s, "container", false);
	return run_container(s, listen_fd, err);
}

static void account_known(struct local_server *s)
{
	struct cyg_err err = { .code = CYG_ESYS };
	int r = prepare(s, &err);

	cyg_cleanse(s->spec.credential, sizeof(s->spec.credential));
	if (r < 0) {
		start_failed(s, &err);
		return;
	}
	s->step = STEP_LAUNCHED;
	s->started.start = process_start_time(s->started.pid);
	if (!local_server_watch_started(s)) {
		process_kill_tree(s->started.pid);
		(void)kill(s->started.pid, SIGKILL);
		(void)cyg_fail(&err, CYG_ESYS, "the container cannot be watched, so it was ended");
		start_failed(s, &err);
		return;
	}
	(void)uv_timer_start(&s->timer, on_not_ready, LOCAL_READY_MS, 0);
	give_answer(s, NULL);
}

void start_ready(struct local_server *s)
{
	struct spawn_address address;
	struct cyg_err err;
	int exit_code;

	record_read_status(s->local->folders.records, s->spec.server_id, &s->init.pid, &exit_code);
	/* bubblewrap runs as the user, who might make it write another pid. We must not watch, and
	 * later kill, that process: the pid counts only if it is bubblewrap's child. */
	if (s->init.pid != 0 && process_parent(s->init.pid) != s->started.pid)
		s->init.pid = 0;
	if (s->init.pid == 0)
		s->init.pid = s->started.pid;
	s->init.start = process_start_time(s->init.pid);
	if (s->init.pid != s->started.pid && s->init.start != 0)
		(void)local_server_watch_init(s);
	(void)uv_timer_stop(&s->timer);
	s->step = STEP_RUNS;
	if (write_record(s, &err) < 0)
		cyg_log_error(s->spec.server_id, "%s: a restart will not adopt it", err.msg);
	local_server_stage(s, NULL, false);
	cyg_log_info(s->spec.server_id, "runs for '%s' as uid %u, init %d", s->spec.user,
	    s->account.uid, (int)s->init.pid);
	s->ready = true;
	local_server_address(s, &address);
	s->local->events->on_ready(s->local->core, s->spec.server_id, &address);
	local_server_stage_after(s, NULL);
}
