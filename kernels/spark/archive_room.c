/* Reads how much memory the container may use, and how much of that cannot be given back. */
#include "kernels/spark/archive_room.h"

#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"

#include <fcntl.h>

enum { FIGURES_MAX = 16 * 1024 };
/* Seen: 0.9 GB for Spark 4.2 on Java 17, whatever the size of its heap. */
static const uint64_t needed = UINT64_C(1200) * 1024 * 1024;

static bool read_figures(const char *cgroup, const char *name, struct cyg_buf *out)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s", cgroup, name);

	return cyg_file_read(AT_FDCWD, path, false, out, NULL) == 0;
}

/* "max\n" is no number: then there is no limit. */
static bool read_limit(const char *cgroup, uint64_t *ret)
{
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest, line;

	cyg_buf_init(&text, FIGURES_MAX);
	if (!read_figures(cgroup, "memory.max", &text))
		return false;
	rest = cyg_buf_str(&text);
	return cyg_str_next(&rest, '\n', &line) &&
	       cyg_num_parse_u64(line, 0, UINT64_MAX, ret, NULL) == 0;
}

/* "anon 4096": what processes hold. What is read from files can be given back. */
static bool read_held(const char *cgroup, uint64_t *ret)
{
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest, line;

	cyg_buf_init(&text, FIGURES_MAX);
	if (!read_figures(cgroup, "memory.stat", &text))
		return false;
	rest = cyg_buf_str(&text);
	while (cyg_str_next(&rest, '\n', &line)) {
		if (cyg_str_starts(line, "anon "))
			return cyg_num_parse_u64(cyg_str_skip(line, 5), 0, UINT64_MAX, ret, NULL) ==
			       0;
	}
	return false;
}

bool archive_has_room(const char *cgroup)
{
	uint64_t limit, held;

	if (!read_limit(cgroup, &limit) || !read_held(cgroup, &held))
		return true;
	return limit > held && limit - held >= needed;
}
