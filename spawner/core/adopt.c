/* Start is recovery: whatever the last spawner left is looked at by its record. A server whose init
 * lives is adopted; everything else is killed and removed, and so is what has no record at all. */
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "spawner/core/record.h"
#include "spawner/core/spawner.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* Kills a process only if it is still the one that was written down. */
static void kill_process(const struct process_id *id)
{
	if (id->pid > 1 && id->start != 0 && process_start_time(id->pid) == id->start) {
		(void)kill(id->pid, SIGSTOP); /* so that nothing is born beside the walk */
		process_kill_tree(id->pid);
		(void)kill(id->pid, SIGKILL);
	}
}

static void remove_places(struct spawner *sp, const char *id)
{
	const struct timespec pause = { 0, SPAWNER_REMOVE_MS * 1000000L };
	struct cyg_err err;

	(void)cgroup_kill(&sp->cgroups, id);
	for (int tries = 0; tries < SPAWNER_REMOVE_TRIES; tries++) {
		if (cgroup_remove(&sp->cgroups, id))
			break;
		(void)cgroup_kill(&sp->cgroups, id);
		(void)nanosleep(&pause, NULL);
	}
	if (folders_remove(&sp->folders, id, &err) < 0)
		cyg_log_error(id, "%s", err.msg);
	record_remove(sp->folders.records, id);
}

static bool adopt(struct spawner *sp, const struct record *r)
{
	struct spawn_spawn spec = { .home_packages = 0 };
	struct cyg_err err;
	struct server *s;

	if (r->init.pid == 0 || r->init.start == 0 ||
	    process_start_time(r->init.pid) != r->init.start)
		return false;
	memcpy(spec.server_id, r->id, sizeof(spec.server_id));
	memcpy(spec.user, r->user, sizeof(spec.user));
	memcpy(spec.server, r->server, sizeof(spec.server));
	s = server_new(sp, &spec);
	s->adopted = s->answered = true;
	s->step = STEP_RUNS;
	s->state = SPAWN_STATE_RUNNING;
	s->started_us = r->started_us;
	s->person.uid = s->person.gid = r->uid;
	s->memory_limit = r->memory_bytes;
	s->cpu_milli = r->cpu_milli;
	s->init = r->init;
	record_read_started(sp->folders.records, r->id, &s->started);
	if (output_open(s, true, &err) < 0)
		cyg_log_warn(r->id, "%s", err.msg);
	(void)server_watch_init(s);
	if (s->started.pid != s->init.pid && s->started.pid != 0)
		(void)server_watch_started(s);
	if (s->init_watch == NULL) {
		server_drop(s);
		return false;
	}
	cyg_log_info(r->id, "adopted: '%s', uid %u, init %d", r->user, r->uid, (int)r->init.pid);
	return true;
}

static void on_record(void *arg, const char *id)
{
	struct spawner *sp = arg;
	struct process_id started;
	struct record r;
	struct cyg_err err;

	if (record_read(sp->folders.records, id, &r, &err) < 0)
		cyg_log_warn(id, "%s", err.msg);
	else if (adopt(sp, &r))
		return;
	cyg_log_info(id, "an earlier spawner left it and it does not run: removed");
	record_read_started(sp->folders.records, id, &started);
	/* bubblewrap's child has no start time on record: it is ours while bubblewrap lives */
	kill_process(&started);
	remove_places(sp, id);
}

static void on_group(void *arg, const char *id)
{
	struct spawner *sp = arg;

	if (server_find(sp, id) == NULL)
		remove_places(sp, id);
}

/* Folders and sockets whose server is not here. */
static void sweep(struct spawner *sp, const char *sub)
{
	char path[CYG_PATH_MAX + 32];
	const struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", sp->folders.run_dir, sub);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char id[CYG_SERVER_ID_LEN + 1] = "";

		if (strlen(e->d_name) < CYG_SERVER_ID_LEN)
			continue;
		memcpy(id, e->d_name, CYG_SERVER_ID_LEN);
		if (strspn(id, "0123456789abcdef") == CYG_SERVER_ID_LEN &&
		    server_find(sp, id) == NULL)
			remove_places(sp, id);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void adopt_all(struct spawner *sp)
{
	record_each(sp->folders.records, on_record, sp);
	cgroup_each(&sp->cgroups, on_group, sp);
	sweep(sp, "servers");
	sweep(sp, "s");
}
