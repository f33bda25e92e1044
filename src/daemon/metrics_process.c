/* The metrics that every Prometheus client has of its process, under the names that dashboards
 * know. */
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "daemon/metrics.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

enum { CPU, START, RESIDENT, VIRTUAL, FDS, FDS_MAX, N_ROWS };

enum { PROC_TEXT_MAX = 64 * 1024, STAT_START = 22, STATM_RESIDENT = 2 };

/* process_ stands in front of each. */
static const struct metric_def rows[] = {
	[CPU] = { "cpu_seconds_total", METRIC_COUNTER, "seconds", "User and system CPU time.",
	    .sparse = true },
	[START] = { "start_time_seconds", METRIC_GAUGE, "seconds", "Start, in seconds since 1970.",
	    .sparse = true },
	[RESIDENT] = { "resident_memory_bytes", METRIC_GAUGE, "bytes", "Resident memory.",
	    .sparse = true },
	[VIRTUAL] = { "virtual_memory_bytes", METRIC_GAUGE, "bytes", "Virtual memory.",
	    .sparse = true },
	[FDS] = { "open_fds", METRIC_GAUGE, NULL, "Open file descriptors.", .sparse = true },
	[FDS_MAX] = { "max_fds", METRIC_GAUGE, NULL, "Most file descriptors that may be open.",
	    .sparse = true },
};

/* The n-th word (from 1) after `after`, as a number. */
static bool word(struct cyg_str text, char after, unsigned n, uint64_t *ret)
{
	struct cyg_str part = { NULL, 0 };

	for (size_t i = text.len; after != '\0' && i > 0; i--) {
		if (text.p[i - 1] != after)
			continue;
		text = cyg_str_trim(cyg_str_skip(text, i));
		break;
	}
	for (unsigned i = 0; i < n; i++)
		if (!cyg_str_next(&text, ' ', &part))
			return false;
	return cyg_num_parse_u64(part, 0, UINT64_MAX, ret, NULL) == 0;
}

static bool read_proc(const char *path, struct cyg_buf *text)
{
	cyg_buf_reset(text);
	return cyg_file_read(AT_FDCWD, path, true, text, NULL) == 0;
}

static void set_memory(struct metrics *m, struct cyg_buf *text)
{
	const double page = (double)sysconf(_SC_PAGESIZE);
	uint64_t pages;

	if (!read_proc("/proc/self/statm", text))
		return;
	if (word(cyg_buf_str(text), '\0', 1, &pages))
		metrics_set(m, VIRTUAL, METRIC_PLAIN, (double)pages * page);
	if (word(cyg_buf_str(text), '\0', STATM_RESIDENT, &pages))
		metrics_set(m, RESIDENT, METRIC_PLAIN, (double)pages * page);
}

/* Ticks since the machine's start (proc(5): field 22, the command's name ends with the last ')'),
 * on top of the time of that start. */
static void set_start(struct metrics *m, struct cyg_buf *text)
{
	uint64_t ticks;
	uint64_t boot;
	const char *line;

	if (!read_proc("/proc/self/stat", text) ||
	    !word(cyg_buf_str(text), ')', STAT_START - 2, &ticks) || !read_proc("/proc/stat", text))
		return;
	line = strstr(text->data, "\nbtime ");
	if (line == NULL)
		return;
	line += strlen("\nbtime ");
	if (cyg_num_parse_u64(
		(struct cyg_str){ line, strcspn(line, "\n") }, 0, UINT64_MAX, &boot, NULL) == 0)
		metrics_set(m, START, METRIC_PLAIN,
		    (double)boot + (double)ticks / (double)sysconf(_SC_CLK_TCK));
}

static void set_fds(struct metrics *m)
{
	DIR *dir = opendir("/proc/self/fd");
	struct rlimit limit;
	double n = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		metrics_set(m, FDS_MAX, METRIC_PLAIN, (double)limit.rlim_cur);
	if (dir == NULL)
		return;
	while (readdir(dir) != NULL)
		n++;
	(void)closedir(dir);
	metrics_set(m, FDS, METRIC_PLAIN, n - 3); /* without ".", ".." and the folder itself */
}

static double seconds(struct timeval t)
{
	return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

int metrics_write_process(const char *prefix, struct cyg_buf *out, struct cyg_err *err)
{
	struct metric_def table[N_ROWS + 1] = { 0 };
	char names[N_ROWS][128];
	cyg_autobuf struct cyg_buf text;
	struct metrics *m;
	struct rusage usage;
	int rc;

	cyg_buf_init(&text, PROC_TEXT_MAX);
	for (size_t i = 0; i < N_ROWS; i++) {
		table[i] = rows[i];
		(void)snprintf(
		    names[i], sizeof(names[i]), "%.60sprocess_%.40s", prefix, rows[i].name);
		table[i].name = names[i];
	}
	m = metrics_new(table);
	if (getrusage(RUSAGE_SELF, &usage) == 0)
		metrics_add(
		    m, CPU, METRIC_PLAIN, seconds(usage.ru_utime) + seconds(usage.ru_stime));
	set_start(m, &text);
	set_memory(m, &text);
	set_fds(m);
	rc = metrics_write(m, out, err);
	metrics_free(m);
	return rc;
}
