/* Adopts the servers that the last spawner left, by their records. A server whose init lives is
 * adopted; everything else is killed here and removed in the thread pool, also what has no record.
 */
#include "base/mem.h"
#include "base/str.h"
#include "daemon/log.h"
#include "spawner/local/local.h"
#include "spawner/local/record.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Kills a process only if it is still the one in the record. */
static void kill_process(const struct process_id *id)
{
	if (id->pid > 1 && id->start != 0 && process_start_time(id->pid) == id->start) {
		(void)kill(id->pid, SIGSTOP); /* so that it cannot fork during the walk */
		process_kill_tree(id->pid);
		(void)kill(id->pid, SIGKILL);
	}
}

/* Makes the object of a dead server, which is then removed as every server is. Until then a list
 * contains it if it was ever ready. */
static struct local_server *dead_server(struct local *l, const char *id)
{
	struct spawn_spawn spec = { .home_packages = 0 };
	struct local_server *s;

	(void)cyg_str_copy(spec.server_id, sizeof(spec.server_id), cyg_str_of(id));
	s = local_server_new(l, &spec);
	s->adopted = s->nameless = true;
	return s;
}

static void remove_places(struct local *l, const char *id)
{
	if (local_server_find(l, id) == NULL)
		end_remove(dead_server(l, id));
}

/* Copies what the record says of a server, alive or not. */
static void take_record(struct local_server *s, const struct record *r)
{
	s->spec.user_id = r->user_id;
	memcpy(s->spec.user, r->user, sizeof(s->spec.user));
	memcpy(s->spec.server, r->server, sizeof(s->spec.server));
	s->nameless = false;
	s->ready = r->init.pid != 0;
	s->started_us = r->started_us;
	s->account.uid = s->account.gid = r->uid;
	s->memory_limit = r->memory_bytes;
	s->cpu_milli = r->cpu_milli;
}

static bool adopt(struct local_server *s, const struct record *r)
{
	struct local *l = s->local;
	struct cyg_err err;

	if (r->init.pid == 0 || r->init.start == 0 ||
	    process_start_time(r->init.pid) != r->init.start)
		return false;
	s->init = r->init;
	if (!local_server_watch_init(s))
		return false;
	s->step = STEP_RUNS;
	record_read_started(l->folders.records, r->id, &s->started);
	if (output_open(s, true, &err) < 0)
		cyg_log_warn(r->id, "%s", err.msg);
	if (s->started.pid != s->init.pid && s->started.pid != 0)
		(void)local_server_watch_started(s);
	cyg_log_info(r->id, "adopted: '%s', uid %u, init %d", r->user, r->uid, (int)r->init.pid);
	return true;
}

static void on_record(void *arg, const char *id)
{
	struct local *l = arg;
	struct local_server *s = dead_server(l, id);
	struct process_id started;
	struct record r;
	struct cyg_err err;

	if (record_read(l->folders.records, id, &r, &err) < 0) {
		cyg_log_warn(id, "%s", err.msg);
	} else {
		take_record(s, &r);
		if (adopt(s, &r))
			return;
	}
	cyg_log_info(id, "an earlier spawner left it and it does not run: removed");
	record_read_started(l->folders.records, id, &started);
	/* bubblewrap's child has no start time in the record: it is ours while bubblewrap lives */
	kill_process(&started);
	end_found_dead(s);
}

static void on_group(void *arg, const char *id)
{
	remove_places(arg, id);
}

/* Removes folders and sockets that belong to no server. */
static void sweep(struct local *l, const char *sub)
{
	char path[CYG_PATH_MAX + 32];
	const struct dirent *e;
	DIR *dir;

	(void)snprintf(path, sizeof(path), "%s/%s", l->folders.run_dir, sub);
	dir = opendir(path);
	while (dir != NULL && (e = readdir(dir)) != NULL) {
		char id[CYG_SERVER_ID_LEN + 1] = "";

		if (strlen(e->d_name) < CYG_SERVER_ID_LEN)
			continue;
		memcpy(id, e->d_name, CYG_SERVER_ID_LEN);
		if (strspn(id, "0123456789abcdef") == CYG_SERVER_ID_LEN)
			remove_places(l, id);
	}
	if (dir != NULL)
		(void)closedir(dir);
}

void adopt_all(struct local *l)
{
	record_each(l->folders.records, on_record, l);
	cgroup_each(&l->cgroups, on_group, l);
	sweep(l, "servers");
	sweep(l, "s");
}
