/* Reading and writing the files of a server's record. */
#include "spawner/local/record.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/num.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RECORD_MAX = 4096 };

void record_file_name(char out[RECORD_NAME_MAX], const char *id, const char *kind)
{
	(void)snprintf(out, RECORD_NAME_MAX, "%.*s.%.8s", CYG_SERVER_ID_LEN, id, kind);
}

int record_write(int dir, const struct record *r, struct cyg_err *err)
{
	char name[RECORD_NAME_MAX];
	cyg_autobuf struct cyg_buf text;

	record_file_name(name, r->id, "record");
	cyg_buf_init(&text, RECORD_MAX);
	if (cyg_buf_printf(&text, err,
		"cygnet-record 2\nid %s\nuser-id %llu\nuser %s\nserver %s\nuid %u\ncpu %u\nmemory %llu\n"
		"started %llu\ninit %d\nstart %llu\n",
		r->id, (unsigned long long)r->user_id, r->user, r->server, r->uid, r->cpu_milli,
		(unsigned long long)r->memory_bytes, (unsigned long long)r->started_us,
		(int)r->init.pid, (unsigned long long)r->init.start) < 0)
		return -(int)CYG_ELIMIT;
	if (cyg_file_write(dir, name, cyg_buf_str(&text), 0600, err) < 0)
		return cyg_wrap(err, "record");
	return 0;
}

/* The rest of the next line, which must start with key and a space. */
static bool take(struct cyg_str *text, const char *key, struct cyg_str *value)
{
	struct cyg_str line;

	if (!cyg_str_next(text, '\n', &line) || !cyg_str_starts(line, key) ||
	    line.len <= strlen(key) || line.p[strlen(key)] != ' ')
		return false;
	*value = cyg_str_skip(line, strlen(key) + 1);
	return true;
}

static bool take_text(struct cyg_str *text, const char *key, char *out, size_t size)
{
	struct cyg_str value;

	return take(text, key, &value) && cyg_str_copy(out, size, value);
}

static bool take_u64(struct cyg_str *text, const char *key, uint64_t max, uint64_t *ret)
{
	struct cyg_str value;

	return take(text, key, &value) && cyg_num_parse_u64(value, 0, max, ret, NULL) == 0;
}

int record_read(int dir, const char *id, struct record *ret, struct cyg_err *err)
{
	char name[RECORD_NAME_MAX], version[4];
	cyg_autobuf struct cyg_buf buf;
	struct cyg_str text;
	struct record r = { 0 };
	uint64_t uid, cpu, pid;

	record_file_name(name, id, "record");
	cyg_buf_init(&buf, RECORD_MAX);
	if (cyg_file_read(dir, name, false, &buf, err) < 0)
		return cyg_wrap(err, "record");
	text = cyg_buf_str(&buf);
	if (!take_text(&text, "cygnet-record", version, sizeof(version)) ||
	    (strcmp(version, "1") != 0 && strcmp(version, "2") != 0) ||
	    !take_text(&text, "id", r.id, sizeof(r.id)) || strcmp(r.id, id) != 0 ||
	    (version[0] == '2' && !take_u64(&text, "user-id", INT64_MAX, &r.user_id)) ||
	    !take_text(&text, "user", r.user, sizeof(r.user)) ||
	    !take_text(&text, "server", r.server, sizeof(r.server)) ||
	    !take_u64(&text, "uid", UINT32_MAX, &uid) ||
	    !take_u64(&text, "cpu", UINT32_MAX, &cpu) ||
	    !take_u64(&text, "memory", UINT64_MAX, &r.memory_bytes) ||
	    !take_u64(&text, "started", UINT64_MAX, &r.started_us) ||
	    !take_u64(&text, "init", INT32_MAX, &pid) ||
	    !take_u64(&text, "start", UINT64_MAX, &r.init.start))
		return cyg_fail(err, CYG_EINVAL, "'%s' is not a server record", name);
	r.uid = (uint32_t)uid;
	r.cpu_milli = (uint32_t)cpu;
	r.init.pid = (pid_t)pid;
	*ret = r;
	return 0;
}

void record_each(int dir, void (*seen)(void *arg, const char *id), void *arg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (d != NULL && (e = readdir(d)) != NULL) {
		char id[CYG_SERVER_ID_LEN + 1];
		const char *dot = strchr(e->d_name, '.');

		/* Left by a spawner that was killed while it wrote one. */
		if (strstr(e->d_name, ".record.tmp-") != NULL)
			(void)unlinkat(dir, e->d_name, 0);
		if (dot == NULL || dot - e->d_name != CYG_SERVER_ID_LEN ||
		    strcmp(dot, ".record") != 0)
			continue;
		memcpy(id, e->d_name, CYG_SERVER_ID_LEN);
		id[CYG_SERVER_ID_LEN] = '\0';
		seen(arg, id);
	}
	if (d != NULL)
		(void)closedir(d);
	else if (fd >= 0)
		(void)close(fd);
}

void record_remove(int dir, const char *id)
{
	/* The record is removed last: until then the next spawner knows what is left to remove. */
	static const char *const kinds[] = { "out", "pid", "status", "record" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		char name[RECORD_NAME_MAX];

		record_file_name(name, id, kinds[i]);
		(void)unlinkat(dir, name, 0);
	}
}

static bool read_small(int dir, const char *id, const char *kind, char *out, size_t size)
{
	char name[RECORD_NAME_MAX];
	ssize_t n = -1;
	int fd;

	record_file_name(name, id, kind);
	fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, size - 1);
		(void)close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

void record_read_started(int dir, const char *id, struct process_id *ret)
{
	char text[64];
	struct cyg_str rest, part;
	uint64_t pid, start;

	*ret = (struct process_id){ 0 };
	if (!read_small(dir, id, "pid", text, sizeof(text)))
		return;
	rest = cyg_str_of(text);
	if (!cyg_str_next(&rest, ' ', &part) ||
	    cyg_num_parse_u64(part, 2, INT32_MAX, &pid, NULL) < 0 ||
	    !cyg_str_next(&rest, '\n', &part) ||
	    cyg_num_parse_u64(part, 1, UINT64_MAX, &start, NULL) < 0)
		return;
	ret->pid = (pid_t)pid;
	ret->start = start;
}

/* The number after a key of bubblewrap's JSON lines, which it alone writes; -1 when not there. */
static int status_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	struct cyg_str digits;
	uint64_t value;

	if (at == NULL)
		return -1;
	at += strlen(key);
	digits = (struct cyg_str){ at, strspn(at, "0123456789") };
	return cyg_num_parse_u64(digits, 0, INT32_MAX, &value, NULL) < 0 ? -1 : (int)value;
}

void record_read_status(int dir, const char *id, pid_t *child, int *exit_code)
{
	char text[4096];
	int pid;

	*child = 0;
	*exit_code = -1;
	if (!read_small(dir, id, "status", text, sizeof(text)))
		return;
	pid = status_number(text, "\"child-pid\": ");
	*child = pid > 1 ? pid : 0;
	*exit_code = status_number(text, "\"exit-code\": ");
}
