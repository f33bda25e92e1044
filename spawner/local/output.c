/* Reads what init prints. Its standard output is a file, which we follow by inotify, so that a
 * restarted spawner loses nothing. The text is not trusted: lines must be short, names of stages
 * are from a fixed list, and no more than LOCAL_OUT_MAX bytes are read. */
#include "base/mem.h"
#include "base/num.h"
#include "base/str.h"
#include "daemon/log.h"
#include "spawner/local/local.h"
#include "spawner/local/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const stage_names[] = { SPAWN_STAGES_INIT };

int output_parse(const char *line, size_t len, struct spawn_stage *ret)
{
	struct cyg_str rest = { line, len }, word;
	uint64_t ms;

	if (len == 0 || len > CYG_STAGE_LINE_MAX)
		return 0;
	if (cyg_str_eq(rest, "ready"))
		return 1;
	if (!cyg_str_next(&rest, ' ', &word) || !cyg_str_eq(word, "stage") ||
	    !cyg_str_next(&rest, ' ', &word))
		return 0;
	memset(ret, 0, sizeof(*ret));
	for (size_t i = 0; i < CYG_N(stage_names); i++)
		if (cyg_str_eq(word, stage_names[i]))
			(void)cyg_str_copy(ret->name, sizeof(ret->name), word);
	ret->state = SPAWN_STAGE_DONE;
	if (cyg_str_starts(rest, "failed ")) {
		ret->state = SPAWN_STAGE_FAILED;
		rest = cyg_str_skip(rest, 7);
	}
	if (ret->name[0] == '\0' || cyg_num_parse_u64(rest, 0, UINT32_MAX, &ms, NULL) < 0)
		return 0;
	ret->ms = (uint32_t)ms;
	return 2;
}

static void on_line(struct local_server *s)
{
	struct spawn_stage stage;
	int kind = output_parse(s->out_line, s->out_line_len, &stage);

	if (kind == 1 && s->step == STEP_LAUNCHED) {
		start_ready(s);
	} else if (kind == 2) {
		s->local->events->on_stage(s->local->core, s->spec.server_id, stage.name,
		    (enum spawn_stage_state)stage.state, stage.ms);
		if (stage.state == SPAWN_STAGE_DONE && !s->adopted)
			local_server_stage_after(s, stage.name);
	} else if (kind == 0 && s->out_line_len > 0) {
		struct cyg_str line = { s->out_line, s->out_line_len };

		(void)cyg_str_copy(s->out_last, sizeof(s->out_last), line);
		cyg_log_info(s->spec.server_id, "said: %s", s->out_last);
	}
}

static void on_bytes(struct local_server *s, const char *data, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (data[i] == '\n') {
			on_line(s);
			s->out_line_len = 0;
		} else if (s->out_line_len + 1 < sizeof(s->out_line)) {
			s->out_line[s->out_line_len++] = data[i];
		}
	}
}

void output_read(struct local_server *s)
{
	char buf[4096];
	ssize_t n;

	while (s->out_fd >= 0 && s->out_len < LOCAL_OUT_MAX &&
	       (n = pread(s->out_fd, buf, sizeof(buf), (off_t)s->out_len)) > 0) {
		s->out_len += (size_t)n;
		on_bytes(s, buf, (size_t)n);
	}
}

static void on_change(uv_fs_event_t *event, const char *name, int events, int status)
{
	output_read(event->data);
}

int output_open(struct local_server *s, bool from_end, struct cyg_err *err)
{
	char name[RECORD_NAME_MAX], path[CYG_PATH_MAX];
	struct stat st;
	int r;

	record_file_name(name, s->spec.server_id, "out");
	(void)snprintf(path, sizeof(path), "%.*s/spawner/records/%s", CYG_PATH_MAX - 64,
	    s->local->folders.run_dir, name);
	s->out_fd = openat(s->local->folders.records, name,
	    O_RDWR | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (s->out_fd < 0 || fstat(s->out_fd, &st) < 0)
		return cyg_fail_sys(err, errno, "open '%s'", path);
	if (from_end)
		s->out_len = (size_t)st.st_size;
	r = uv_fs_event_start(&s->out_event, on_change, path, 0);
	if (r < 0)
		return cyg_fail_sys(err, -r, "follow '%s'", path);
	return 0;
}

void output_close(struct local_server *s)
{
	(void)uv_fs_event_stop(&s->out_event);
	cyg_close(s->out_fd);
	s->out_fd = -1;
}
