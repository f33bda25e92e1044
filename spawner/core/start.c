/* A start, read downwards: request, policy, person, record, folders, home, limits, container, and
 * init's first word, upon which the hub gets its answer. Every failure leaves through start_failed,
 * which is the same clean-up as an end. */
#include "base/clock.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/core/record.h"
#include "spawner/core/spawner.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void person_known(struct server *s);

void start_failed(struct server *s, const struct cyg_err *err)
{
	cyg_log_warn(s->spec.server_id, "start for '%s' failed: %s", s->spec.user, err->msg);
	server_stage(s, NULL, true);
	s->failure = *err;
	end_remove(s); /* and then answers */
}

static void on_person(void *arg, const struct uids_person *p, const struct cyg_err *err)
{
	struct server *s = arg;

	s->lookup = NULL;
	if (err != NULL) {
		start_failed(s, err);
		return;
	}
	s->person = *p;
	person_known(s);
}

/* The uid rule of the template; true when the person is known at once. */
static int find_person(struct server *s, bool *known, struct cyg_err *err)
{
	struct spawner *sp = s->spawner;

	*known = true;
	if (!sp->folders.many_uids) {
		s->person.uid = geteuid();
		s->person.gid = getegid();
		return 0;
	}
	if (uids_check_name("/etc/passwd", s->spec.user, err) < 0)
		return -(int)CYG_EDENIED;
	if (s->grant.template_->uid == POLICY_UID_NSS) {
		*known = false;
		return uids_lookup_start(sp->loop, s->spec.user, on_person, s, &s->lookup, err);
	}
	if (uids_get(sp->uids, s->spec.user, &s->person.uid, err) < 0)
		return -(int)err->code;
	s->person.gid = s->person.uid;
	return 0;
}

void start_request(struct spawner *sp, struct hub *hub, const struct spawn_spawn *r)
{
	uint64_t serial = hub_serial_of(hub);
	struct policy_grant grant;
	struct cyg_err err;
	struct server *s;
	bool known;

	if (policy_check(sp->policy, r, &grant, &err) < 0) {
		cyg_log_warn(r->server_id, "refused: %s", err.msg);
		(void)hub_reply(sp, serial, r->head.request_id, &err);
		return;
	}
	if (server_find(sp, r->server_id) != NULL) {
		(void)cyg_fail(&err, CYG_EEXIST, "server %s is there already", r->server_id);
		(void)hub_reply(sp, serial, r->head.request_id, &err);
		return;
	}
	s = server_new(sp, r);
	s->grant = grant;
	s->memory_limit = grant.memory_bytes;
	s->cpu_milli = grant.cpu_milli;
	s->hub_serial = serial;
	s->request_id = r->head.request_id;
	server_stage(s, "folders", false);
	if (find_person(s, &known, &err) < 0)
		start_failed(s, &err);
	else if (known)
		person_known(s);
}

static int write_record(const struct server *s, struct cyg_err *err)
{
	struct record r = { .uid = s->person.uid,
		.cpu_milli = s->cpu_milli,
		.memory_bytes = s->memory_limit,
		.started_us = s->started_us,
		.init = s->init };

	memcpy(r.id, s->spec.server_id, sizeof(r.id));
	memcpy(r.user, s->spec.user, sizeof(r.user));
	memcpy(r.server, s->spec.server, sizeof(r.server));
	return record_write(s->spawner->folders.records, &r, err);
}

static int make_home(struct server *s, struct cyg_err *err)
{
	if (s->person.home[0] != '\0') {
		memcpy(s->home, s->person.home, sizeof(s->home));
		return 0;
	}
	folders_home_path(&s->spawner->folders, s->spec.user, s->home);
	return folders_make_home(&s->spawner->folders, s->spec.user, &s->person, err);
}

static int make_limits(struct server *s, struct cyg_err *err)
{
	const struct cgroup_limits limits = { .memory_bytes = s->memory_limit,
		.pids = s->grant.template_->pids_max,
		.cpu_milli = s->cpu_milli };

	return cgroup_make(&s->spawner->cgroups, s->spec.server_id, &limits, err);
}

/* A growing NULL-ended list of words that it owns. */
struct words {
	char **list;
	size_t n;
};

static void add(struct words *w, const char *word)
{
	w->list = cyg_xrealloc(w->list, (w->n + 2) * sizeof(*w->list));
	w->list[w->n++] = cyg_xstrdup(word);
	w->list[w->n] = NULL;
}

static void add_two(struct words *w, const char *option, const char *value)
{
	add(w, option);
	add(w, value);
}

static void add_env(struct words *w, const char *name, const char *value)
{
	cyg_autofree char *entry = cyg_xasprintf("%s=%s", name, value);

	add_two(w, "--env", entry);
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->list[i]);
	free(w->list);
}

static int add_expanded(
    struct words *w, const char *text, const struct policy_places *p, struct cyg_err *err)
{
	cyg_autofree char *word = NULL;

	if (policy_expand(text, p, &word, err) < 0)
		return -(int)CYG_EINVAL;
	add(w, word);
	return 0;
}

/* Which environment scripts and agent start from: nothing of ours, nothing secret. */
static int add_environment(struct words *w, const struct server *s, const struct engine_places *at,
    const struct policy_places *p, struct cyg_err *err)
{
	cyg_autofree char *runtime = cyg_xasprintf("%s/runtime", at->run_dir);

	add_env(w, "PATH", "/usr/local/bin:/usr/bin:/bin");
	add_env(w, "HOME", at->home);
	add_env(w, "USER", s->spec.user);
	add_env(w, "LOGNAME", s->spec.user);
	add_env(w, "SHELL", "/bin/bash");
	add_env(w, "LANG", "C.UTF-8");
	add_env(w, "XDG_RUNTIME_DIR", runtime);
	add_env(w, "JUPYTER_RUNTIME_DIR", runtime);
	for (size_t i = 0; i < s->grant.template_->n_env; i++) {
		cyg_autofree char *value = NULL;

		if (policy_expand(s->grant.template_->env[i].value, p, &value, err) < 0)
			return -(int)CYG_EINVAL;
		add_env(w, s->grant.template_->env[i].name, value);
	}
	return 0;
}

static int add_scripts(struct words *w, const struct server *s, const struct engine_places *at,
    const struct policy_places *p, struct cyg_err *err)
{
	char deadline[32];

	(void)snprintf(deadline, sizeof(deadline), "%llu",
	    (unsigned long long)s->grant.template_->deadline_ms);
	add_two(w, "--run-dir", at->run_dir);
	add_two(w, "--deadline-ms", deadline);
	if (s->grant.stack->setup != NULL) {
		add(w, "--setup");
		if (add_expanded(w, s->grant.stack->setup, p, err) < 0)
			return -(int)CYG_EINVAL;
	}
	if (s->spec.user_script[0] != '\0') {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", at->home, s->spec.user_script);

		add_two(w, "--user-script", path);
	}
	if (s->spec.home_packages != 0)
		add(w, "--home-packages");
	return 0;
}

static int init_command(const struct server *s, struct words *w, struct cyg_err *err)
{
	const struct spawner *sp = s->spawner;
	struct engine_places at = { 0 };
	struct policy_places p = { .user = s->spec.user,
		.home = at.home,
		.run_dir = at.run_dir,
		.bin = at.bin,
		.base_url = s->spec.base_url,
		.cache = sp->folders.cache_dir,
		.cluster = s->spec.cluster };
	cyg_autofree char *socket = NULL, *init = NULL, *prefix = NULL;

	sp->engine->places(sp->engine_arg, s, &at);
	socket = cyg_xasprintf("%s/runtime/relay.sock", at.run_dir);
	init = cyg_xasprintf("%s/cygnet-init", at.bin);
	if (policy_expand(s->grant.stack->prefix, &p, &prefix, err) < 0)
		return -(int)CYG_EINVAL;
	p.socket = socket;
	p.stack_prefix = prefix;
	add(w, init);
	if (add_scripts(w, s, &at, &p, err) < 0)
		return -(int)CYG_EINVAL;
	if (add_environment(w, s, &at, &p, err) < 0)
		return -(int)CYG_EINVAL;
	add(w, "--");
	for (const char **word = s->grant.template_->command; *word != NULL; word++)
		if (add_expanded(w, *word, &p, err) < 0)
			return -(int)CYG_EINVAL;
	return 0;
}

static void on_not_ready(uv_timer_t *timer)
{
	struct server *s = timer->data;

	(void)snprintf(s->out_last, sizeof(s->out_last),
	    "it said nothing for %d s; perhaps a folder that its template mounts does not answer",
	    SPAWNER_READY_MS / 1000);
	end_stop(s, 0);
}

static int run_container(struct server *s, int listen_fd, struct cyg_err *err)
{
	struct spawner *sp = s->spawner;
	struct launch base = { .person = &s->person, .out = s->out_fd };
	struct words words = { NULL, 0 };
	char name[RECORD_NAME_MAX];
	int r;

	if (sp->files.rlim_max != 0)
		base.files = &sp->files;
	record_file_name(name, s->spec.server_id, "pid");
	base.started_fd = openat(
	    sp->folders.records, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (base.started_fd < 0)
		return cyg_fail_sys(err, errno, "write '%s'", name);
	r = cgroup_open_procs(&sp->cgroups, s->spec.server_id, base.procs, &base.n_procs, err);
	if (r == 0)
		r = init_command(s, &words, err);
	if (r == 0)
		r = sp->engine->start(sp->engine_arg, s, &base, words.list, listen_fd, err);
	words_free(&words);
	cyg_close(base.started_fd);
	for (size_t i = 0; i < base.n_procs; i++)
		cyg_close(base.procs[i]);
	return r;
}

static int prepare(struct server *s, struct cyg_err *err)
{
	const struct folders *f = &s->spawner->folders;
	cyg_autoclose int listen_fd = -1;

	if (write_record(s, err) < 0 || output_open(s, false, err) < 0 ||
	    folders_make_run(f, s->spec.server_id, &s->person, err) < 0)
		return -(int)err->code;
	listen_fd = folders_listen(f, s->spec.server_id, err);
	if (listen_fd < 0)
		return -(int)err->code;
	if (!s->spawner->engine->own_secrets && s->spec.credential[0] != '\0' &&
	    folders_write_credential(f, s->spec.server_id, &s->person, s->spec.credential, err) < 0)
		return -(int)err->code;
	server_stage(s, "home", false);
	if (make_home(s, err) < 0)
		return -(int)err->code;
	server_stage(s, "limits", false);
	if (make_limits(s, err) < 0)
		return -(int)err->code;
	server_stage(s, "container", false);
	return run_container(s, listen_fd, err);
}

static void person_known(struct server *s)
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
	if (!server_watch_started(s)) {
		process_kill_tree(s->started.pid);
		(void)kill(s->started.pid, SIGKILL);
		(void)cyg_fail(&err, CYG_ESYS, "the container cannot be watched, so it was ended");
		start_failed(s, &err);
		return;
	}
	(void)uv_timer_start(&s->timer, on_not_ready, SPAWNER_READY_MS, 0);
	output_read(s);
}

void start_ready(struct server *s)
{
	struct cyg_err err;
	int exit_code;

	record_read_status(
	    s->spawner->folders.records, s->spec.server_id, &s->init.pid, &exit_code);
	/* bubblewrap runs as the user. Whoever could make it write another number must not have us
	 * watch, and in the end kill, that process: it counts only as bubblewrap's own child. */
	if (s->init.pid != 0 && process_parent(s->init.pid) != s->started.pid)
		s->init.pid = 0;
	if (s->init.pid == 0)
		s->init.pid = s->started.pid;
	s->init.start = process_start_time(s->init.pid);
	if (s->init.pid != s->started.pid && s->init.start != 0)
		(void)server_watch_init(s);
	(void)uv_timer_stop(&s->timer);
	s->step = STEP_RUNS;
	if (write_record(s, &err) < 0)
		cyg_log_error(s->spec.server_id, "%s: a restart will not adopt it", err.msg);
	server_stage(s, NULL, false);
	cyg_log_info(s->spec.server_id, "runs for '%s' as uid %u, init %d", s->spec.user,
	    s->person.uid, (int)s->init.pid);
	s->answered = true;
	(void)hub_reply(s->spawner, s->hub_serial, s->request_id, NULL);
	s->hub_serial = 0;
	server_stage_after(s, NULL);
}
