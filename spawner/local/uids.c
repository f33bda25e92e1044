/* The file of uids. The name service is in uids_lookup.c. */
#include "spawner/local/uids.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { UIDS_FILE_MAX = 96 * 1024 * 1024 };

struct uids {
	int fd;
	off_t len;   /* of the file's whole lines */
	bool broken; /* the file has half a line more that could not be taken back */
	uid_t first, next;
	uint32_t count;
	struct cyg_hash *by_user; /* value: a uid_t on the heap */
	struct cyg_hash *by_uid;  /* the decimal uid; value: any */
};

static struct cyg_str uid_key(uid_t uid, char text[16])
{
	return (struct cyg_str){ text, (size_t)snprintf(text, 16, "%u", uid) };
}

static void remember(struct uids *u, struct cyg_str user, uid_t uid)
{
	uid_t *value = cyg_xcalloc(1, sizeof(*value));
	char key[16];

	*value = uid;
	(void)cyg_hash_set(u->by_user, user, value);
	(void)cyg_hash_set(u->by_uid, uid_key(uid, key), value);
}

static int read_line(struct uids *u, struct cyg_str line, size_t number, struct cyg_err *err)
{
	size_t space = cyg_str_chr(line, ' ');
	struct cyg_str user;
	char key[16];
	uint64_t uid;

	if (space == line.len ||
	    cyg_num_parse_u64(cyg_str_sub(line, 0, space), 1, UINT32_MAX - 1, &uid, NULL) < 0 ||
	    space + 1 == line.len)
		return cyg_fail(err, CYG_EINVAL, "uids:%zu: expected 'UID NAME'", number);
	user = cyg_str_skip(line, space + 1);
	if (cyg_hash_find(u->by_user, user) != NULL)
		return cyg_fail(err, CYG_EINVAL, "uids:%zu: this user has a uid already", number);
	if (cyg_hash_find(u->by_uid, uid_key((uid_t)uid, key)) != NULL)
		return cyg_fail(err, CYG_EINVAL,
		    "uids:%zu: uid %u is another user's already: whoever came second needs a new "
		    "line, and their files a new owner",
		    number, (uid_t)uid);
	remember(u, user, (uid_t)uid);
	if (uid >= u->next)
		u->next = (uid_t)uid + 1;
	return 0;
}

static int read_all(struct uids *u, int dir, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest, line;
	size_t number = 0;

	cyg_buf_init(&text, UIDS_FILE_MAX);
	if (cyg_file_read(dir, "uids", false, &text, err) < 0)
		return -(int)CYG_ESYS;
	/* A crash may leave half a line: it was never used, because the uid counts only after the
	 * newline is on disk. */
	while (text.len > 0 && text.data[text.len - 1] != '\n')
		text.data[--text.len] = '\0';
	u->len = (off_t)text.len;
	if (ftruncate(u->fd, u->len) < 0)
		return cyg_fail_sys(err, errno, "uids");
	rest = cyg_buf_str(&text);
	while (rest.len > 0 && cyg_str_next(&rest, '\n', &line))
		if (read_line(u, line, ++number, err) < 0)
			return -(int)CYG_EINVAL;
	return 0;
}

int uids_open(int dir, uid_t first, uint32_t count, struct uids **ret, struct cyg_err *err)
{
	struct uids *u = cyg_xcalloc(1, sizeof(*u));
	int r;

	u->by_user = cyg_hash_new();
	u->by_uid = cyg_hash_new();
	u->first = u->next = first;
	u->count = count;
	u->fd = openat(dir, "uids", O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = u->fd < 0 ? cyg_fail_sys(err, errno, "uids") : read_all(u, dir, err);
	if (r < 0)
		uids_close(u);
	else
		*ret = u;
	return r;
}

void uids_close(struct uids *u)
{
	if (u == NULL)
		return;
	cyg_close(u->fd);
	cyg_hash_free(u->by_uid, NULL);
	cyg_hash_free(u->by_user, free);
	free(u);
}

/* Appends a line, whole and on disk, or not at all: half a line (the disk is full) would join the
 * next one, and a line nobody remembers would let its uid be given out again. */
static int append(struct uids *u, const char *line, size_t len, struct cyg_err *err)
{
	int rc = cyg_file_write_all(u->fd, line, len, err);

	if (rc == 0 && fdatasync(u->fd) < 0)
		rc = cyg_fail_sys(err, errno, "write to disk");
	if (rc == 0) {
		u->len += (off_t)len;
		return 0;
	}
	u->broken = ftruncate(u->fd, u->len) < 0;
	return cyg_wrap(err, "the file of uids cannot be written, so no new user can start");
}

int uids_get(struct uids *u, const char *user, uid_t *ret, struct cyg_err *err)
{
	const uid_t *known = cyg_hash_find(u->by_user, cyg_str_of(user));
	char line[CYG_NAME_MAX + 16];
	int len, rc;

	if (known != NULL) {
		*ret = *known;
		return 0;
	}
	if (u->broken)
		return cyg_fail(err, CYG_ESYS,
		    "the file of uids could not be written: restart the spawner once there is "
		    "room on its disk");
	if (u->next < u->first || u->next - u->first >= u->count)
		return cyg_fail(err, CYG_ELIMIT,
		    "all %u uids from %u are given out: new users need a template with 'uid: nss'",
		    u->count, u->first);
	len = snprintf(line, sizeof(line), "%u %s\n", u->next, user);
	if (len < 0 || (size_t)len >= sizeof(line))
		return cyg_fail(err, CYG_EINVAL, "user name too long");
	rc = append(u, line, (size_t)len, err);
	if (rc < 0)
		return rc;
	remember(u, cyg_str_of(user), u->next);
	*ret = u->next++;
	return 0;
}
