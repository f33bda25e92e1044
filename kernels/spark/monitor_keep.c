/* Runs that are over, in a file of their application: a line of JSON for each, only ever appended.
 * When it is large it begins anew and the one before it stays beside it. */
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/tape.h"
#include "kernels/spark/monitor_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

enum { FILE_MAX = 8 * 1024 * 1024, LINE_MAX_BYTES = 512 * 1024 };

static char *path_of(const struct app *a, const char *name)
{
	return cyg_xasprintf("%s/cells/%s", a->dir, name);
}

static int append(struct app *a, struct cyg_str line, struct cyg_err *err)
{
	cyg_autofree char *dir = path_of(a, "");
	cyg_autofree char *path = path_of(a, "runs.jsonl");
	cyg_autofree char *before = path_of(a, "runs.1.jsonl");
	cyg_autoclose int fd = -1;
	struct stat st;
	int rc = cyg_file_mkdirs(dir, 0700, err);

	if (rc < 0)
		return rc;
	if (stat(path, &st) == 0 && st.st_size > FILE_MAX)
		(void)rename(path, before);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	return fd < 0 ? cyg_fail_sys(err, errno, "open %s", path)
		      : cyg_file_write_all(fd, line.p, line.len, err);
}

/* The latest run of a cell is the one that counts. */
static void drop_older(struct app *a, const struct cell *latest)
{
	cyg_list_each_safe (it, &a->cells) {
		struct cell *c = CYG_CONTAINER_OF(it, struct cell, link);
		const bool is_older =
		    c != latest && c->json != NULL &&
		    (strcmp(c->id, latest->id) == 0 || a->cells.n > MONITOR_CELLS_MAX);

		if (!is_older)
			continue;
		cyg_list_remove(&a->cells, it);
		cell_free(c);
	}
}

void cell_keep(struct app *a, struct cell *c)
{
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	struct cyg_err err;
	int rc;

	cyg_buf_init(&out, LINE_MAX_BYTES);
	jsonw_init(&w, &out);
	cell_write(c, a->kernel, &w);
	rc = jsonw_finish(&w, &err);
	if (rc == 0) {
		c->json = cyg_str_dup(cyg_buf_str(&out));
		rc = cyg_buf_add_str(&out, "\n", &err);
	}
	if (rc == 0)
		rc = append(a, cyg_buf_str(&out), &err);
	if (rc < 0)
		cyg_log_warn("spark", "what a cell did cannot be kept: %s", err.msg);
	if (c->json == NULL) {
		cyg_list_remove(&a->cells, &c->link);
		cell_free(c);
		return;
	}
	free(CYG_TAKE(c->jobs));
	free(CYG_TAKE(c->stages));
	c->n_jobs = c->n_stages = 0;
	drop_older(a, c);
}

/* ---- reading back ---- */

static void read_line(struct app *a, struct cyg_str line)
{
	struct tape *t = NULL;
	cyg_autofree char *id = NULL;
	cyg_autofree char *msg = NULL;
	struct cell *c;

	if (line.len == 0 || tape_parse(line, &t, NULL, NULL) < 0)
		return;
	id = tape_get_str(t, tape_root(t), "cell");
	msg = tape_get_str(t, tape_root(t), "msg");
	tape_free(t);
	if (id == NULL || msg == NULL)
		return;
	c = cell_new(id, msg);
	c->is_left = true;
	c->json = cyg_str_dup(line);
	cyg_list_add(&a->cells, &c->link);
	drop_older(a, c);
}

void app_read_cells(struct app *a)
{
	cyg_autofree char *path = path_of(a, "runs.jsonl");
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest;
	struct cyg_str line;

	cyg_buf_init(&text, FILE_MAX + LINE_MAX_BYTES);
	if (cyg_file_read(AT_FDCWD, path, false, &text, NULL) < 0)
		return;
	rest = cyg_buf_str(&text);
	while (cyg_str_next(&rest, '\n', &line))
		read_line(a, line);
}
