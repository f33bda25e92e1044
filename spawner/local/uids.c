/* The file of uids and homes. Its lines, each of which holds for ever:
 *	UID NAME                 from before users had ids; its home is the folder NAME
 *	UID NAME ID HOME MADE    user ID, whose account was made at MADE, has that uid and home,
 *	                         called NAME then; or took over the line above that has both
 *	... FROM                 the same, handed over by user FROM (0: by a line of the first form)
 * The name service is in uids_lookup.c. */
#include "spawner/local/uids.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/num.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { UIDS_FILE_MAX = 192 * 1024 * 1024, UIDS_FIELDS = 6, LINE_MAX_ = 2 * UIDS_HOME_MAX + 64 };

struct entry {
	struct cyg_link link;
	uint64_t id; /* 0: no user's */
	uint64_t made_us;
	bool old; /* of the first form and not taken over yet */
	struct uids_place place;
};

struct uids {
	int fd;
	off_t len;   /* of the file's whole lines */
	bool broken; /* the file has half a line more that could not be taken back */
	uid_t first, next;
	uint32_t count; /* 0: all users have the uid first */
	struct cyg_list entries;
	struct cyg_hash *by_id, *by_uid; /* keys are decimal */
	struct cyg_hash *by_home;        /* old entries' homes are their names */
};

static struct cyg_str number_key(uint64_t number, char text[24])
{
	return (
	    struct cyg_str){ text, (size_t)snprintf(text, 24, "%llu", (unsigned long long)number) };
}

static struct entry *find_number(const struct cyg_hash *hash, uint64_t number)
{
	char key[24];

	return cyg_hash_find(hash, number_key(number, key));
}

static struct entry *find_old(const struct uids *u, const char *name)
{
	struct entry *e = name[0] == '\0' ? NULL : cyg_hash_find(u->by_home, cyg_str_of(name));

	return e != NULL && e->old ? e : NULL;
}

/* ---- what a line does ---- */

struct line {
	uid_t uid;
	uint64_t id, made_us, from;
	bool old, handed;
	struct cyg_str name, home;
};

static struct entry *entry_new(struct uids *u, const struct line *l)
{
	struct entry *e = cyg_xcalloc(1, sizeof(*e));
	char key[24];

	e->place.uid = l->uid;
	(void)cyg_str_copy(e->place.home, sizeof(e->place.home), l->home);
	cyg_list_add(&u->entries, &e->link);
	(void)cyg_hash_set(u->by_home, l->home, e);
	if (u->count > 0)
		(void)cyg_hash_set(u->by_uid, number_key(l->uid, key), e);
	if (l->uid >= u->next)
		u->next = l->uid + 1;
	return e;
}

/* Gives the user this place and takes the one that they had. */
static void give(struct uids *u, struct entry *e, uint64_t id, uint64_t made_us)
{
	struct entry *before = find_number(u->by_id, id);
	char key[24];

	if (e->id != 0)
		(void)cyg_hash_remove(u->by_id, number_key(e->id, key));
	if (before != NULL)
		before->id = 0;
	e->id = id;
	e->made_us = made_us;
	e->old = false;
	(void)cyg_hash_set(u->by_id, number_key(id, key), e);
}

/* Checks the line against what is known; gives the entry that it changes, or NULL for a new one. */
static int check_line(
    const struct uids *u, const struct line *l, struct entry **ret, struct cyg_err *err)
{
	struct entry *home = cyg_hash_find(u->by_home, l->home);
	const struct entry *uid = u->count > 0 ? find_number(u->by_uid, l->uid) : home;

	*ret = home;
	if (uid != home || (home != NULL && home->place.uid != l->uid))
		return cyg_fail(err, CYG_EINVAL,
		    "uid %u or home '%.*s' is another user's already: the second user needs a "
		    "new line, and their files a new owner",
		    l->uid, CYG_STR_ARGS(l->home));
	if (l->old)
		return home == NULL ? 0 : cyg_fail(err, CYG_EINVAL, "this user has a uid already");
	if (l->handed)
		return home != NULL && (l->from == 0 ? home->old : home->id == l->from)
			   ? 0
			   : cyg_fail(err, CYG_EINVAL, "what is handed over is not the giver's");
	if (find_number(u->by_id, l->id) != NULL)
		return cyg_fail(err, CYG_EINVAL, "this user has a uid already");
	if (home != NULL && !home->old)
		return cyg_fail(err, CYG_EINVAL, "this home is another user's already");
	return 0;
}

static int take_line(struct uids *u, const struct line *l, struct cyg_err *err)
{
	struct entry *e;
	int rc = check_line(u, l, &e, err);

	if (rc < 0)
		return rc;
	if (e == NULL)
		e = entry_new(u, l);
	if (l->old)
		e->old = true;
	else
		give(u, e, l->id, l->made_us);
	return 0;
}

/* ---- reading ---- */

static bool parse_line(struct cyg_str text, uid_t min, struct line *ret)
{
	struct cyg_str fields[UIDS_FIELDS];
	uint64_t uid = 0;
	size_t n = 0;

	while (n < UIDS_FIELDS && text.len > 0 && cyg_str_next(&text, ' ', &fields[n]))
		n++;
	for (size_t i = 0; i < n; i++)
		if (fields[i].len == 0 || fields[i].len >= UIDS_HOME_MAX)
			return false;
	if ((n != 2 && n != 5 && n != 6) || text.len > 0 ||
	    cyg_num_parse_u64(fields[0], min, UINT32_MAX - 1, &uid, NULL) < 0)
		return false;
	*ret = (struct line){ .uid = (uid_t)uid,
		.old = n == 2,
		.handed = n == 6,
		.name = fields[1],
		.home = n == 2 ? fields[1] : fields[3] };
	if (n >= 5 && (cyg_num_parse_u64(fields[2], 1, INT64_MAX, &ret->id, NULL) < 0 ||
			  cyg_num_parse_u64(fields[4], 0, INT64_MAX, &ret->made_us, NULL) < 0))
		return false;
	return n < 6 || cyg_num_parse_u64(fields[5], 0, INT64_MAX, &ret->from, NULL) == 0;
}

static int read_line(struct uids *u, struct cyg_str text, size_t number, struct cyg_err *err)
{
	struct line l;

	if (!parse_line(text, u->count > 0 ? 1 : 0, &l))
		return cyg_fail(
		    err, CYG_EINVAL, "uids:%zu: expected 'UID NAME ID HOME MADE'", number);
	if (take_line(u, &l, err) < 0)
		return cyg_wrap(err, "uids:%zu", number);
	return 0;
}

static int read_all(struct uids *u, int dir, const char *name, struct cyg_err *err)
{
	cyg_autobuf struct cyg_buf text;
	struct cyg_str rest, line;
	size_t number = 0;

	cyg_buf_init(&text, UIDS_FILE_MAX);
	if (cyg_file_read(dir, name, false, &text, err) < 0)
		return -(int)CYG_ESYS;
	/* A crash may leave half a line: it was never used, because the uid counts only after the
	 * newline is on disk. */
	while (text.len > 0 && text.data[text.len - 1] != '\n')
		text.data[--text.len] = '\0';
	u->len = (off_t)text.len;
	if (ftruncate(u->fd, u->len) < 0)
		return cyg_fail_sys(err, errno, "%s", name);
	rest = cyg_buf_str(&text);
	while (rest.len > 0 && cyg_str_next(&rest, '\n', &line))
		if (read_line(u, line, ++number, err) < 0)
			return -(int)CYG_EINVAL;
	return 0;
}

int uids_open(int dir, uid_t first, uint32_t count, struct uids **ret, struct cyg_err *err)
{
	struct uids *u = cyg_xcalloc(1, sizeof(*u));
	const char *name = count > 0 ? "uids" : "homes";
	int r;

	cyg_list_init(&u->entries);
	u->by_id = cyg_hash_new();
	u->by_uid = cyg_hash_new();
	u->by_home = cyg_hash_new();
	u->first = u->next = first;
	u->count = count;
	u->fd = openat(dir, name, O_RDWR | O_APPEND | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	r = u->fd < 0 ? cyg_fail_sys(err, errno, "%s", name) : read_all(u, dir, name, err);
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
	cyg_hash_free(u->by_id, NULL);
	cyg_hash_free(u->by_uid, NULL);
	cyg_hash_free(u->by_home, NULL);
	cyg_list_each_safe (it, &u->entries)
		free(CYG_CONTAINER_OF(it, struct entry, link));
	free(u);
}

/* ---- writing ---- */

/* Appends a line, whole and on disk, or not at all: half a line (when the disk is full) would join
 * the next one, and a lost line would let its uid be given out again. */
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

/* Checks the line, writes it to disk, then applies it. */
static int add_line(struct uids *u, const struct line *l, struct cyg_err *err)
{
	char text[LINE_MAX_];
	struct entry *e;
	int len, rc;

	if (u->broken)
		return cyg_fail(err, CYG_ESYS,
		    "the file of uids could not be written: restart the spawner once there is "
		    "room on its disk");
	if (check_line(u, l, &e, err) < 0)
		return -(int)CYG_EINVAL;
	len = snprintf(text, sizeof(text), "%u %.*s %llu %.*s %llu", l->uid, CYG_STR_ARGS(l->name),
	    (unsigned long long)l->id, CYG_STR_ARGS(l->home), (unsigned long long)l->made_us);
	if (l->handed && len > 0 && (size_t)len < sizeof(text))
		len += snprintf(
		    text + len, sizeof(text) - (size_t)len, " %llu", (unsigned long long)l->from);
	if (len < 0 || (size_t)len + 1 >= sizeof(text))
		return cyg_fail(err, CYG_EINVAL, "user name too long");
	text[len++] = '\n';
	rc = append(u, text, (size_t)len, err);
	return rc < 0 ? rc : take_line(u, l, err);
}

static int new_uid(const struct uids *u, uid_t *ret, struct cyg_err *err)
{
	*ret = u->first;
	if (u->count == 0)
		return 0;
	if (u->next < u->first || u->next - u->first >= u->count)
		return cyg_fail(err, CYG_ELIMIT,
		    "all %u uids from %u are given out: new users need a template with 'uid: nss'",
		    u->count, u->first);
	*ret = u->next;
	return 0;
}

static bool is_free(const struct uids *u, int homes, const char *home)
{
	struct stat st;

	return cyg_hash_find(u->by_home, cyg_str_of(home)) == NULL &&
	       fstatat(homes, home, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT;
}

/* Whether name is a home from before users had ids. Such folders have the user's name. Where all
 * users have one uid there is no line for them: only the folder shows that the user had a home. */
static bool is_old_home(const struct uids *u, int homes, const char *name)
{
	struct stat st;

	return u->count == 0 && name[0] != '\0' &&
	       cyg_hash_find(u->by_home, cyg_str_of(name)) == NULL &&
	       fstatat(homes, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

int uids_get(struct uids *u, int homes, const struct uids_user *user, struct uids_place *ret,
    struct cyg_err *err)
{
	const struct entry *e = find_number(u->by_id, user->id), *old;
	struct line l = {
		.id = user->id, .made_us = user->made_us, .name = cyg_str_of(user->name)
	};
	char home[UIDS_HOME_MAX];
	int rc;

	if (e != NULL && e->made_us != user->made_us)
		return cyg_fail(err, CYG_EDENIED,
		    "user %llu was another account when home '%s' was made: the hub's database is "
		    "not the one that these homes belong to, or an older copy of it",
		    (unsigned long long)user->id, e->place.home);
	if (e != NULL) {
		*ret = e->place;
		return 0;
	}
	(void)snprintf(home, sizeof(home), "%s", user->name);
	old = find_old(u, user->name_before);
	if (old != NULL) {
		l.uid = old->place.uid;
		(void)snprintf(home, sizeof(home), "%s", old->place.home);
	} else {
		rc = new_uid(u, &l.uid, err);
		if (rc < 0)
			return rc;
		if (is_old_home(u, homes, user->name_before))
			(void)snprintf(home, sizeof(home), "%s", user->name_before);
		else if (!is_free(u, homes, home))
			/* No user name holds '~', so this folder is no other user's. */
			(void)snprintf(home, sizeof(home), "%s~%llu", user->name,
			    (unsigned long long)user->id);
	}
	l.home = cyg_str_of(home);
	rc = add_line(u, &l, err);
	if (rc < 0)
		return rc;
	*ret = ((const struct entry *)find_number(u->by_id, user->id))->place;
	return 0;
}

int uids_find(const struct uids *u, uint64_t id, const char *old_name, struct uids_place *ret,
    struct cyg_err *err)
{
	const struct entry *e = id != 0 ? find_number(u->by_id, id) : find_old(u, old_name);

	if (e == NULL)
		return cyg_fail(err, CYG_ENOENT, "user %llu '%s' has no uid and no home here",
		    (unsigned long long)id, old_name);
	*ret = e->place;
	return 0;
}

int uids_hand_over(struct uids *u, uint64_t from_id, const char *old_name,
    const struct uids_user *to, struct cyg_err *err)
{
	struct uids_place place;
	struct line l = {
		.id = to->id,
		.made_us = to->made_us,
		.from = from_id,
		.handed = true,
		.name = cyg_str_of(to->name),
	};

	if (from_id == to->id)
		return cyg_fail(err, CYG_EINVAL, "both are the same user");
	if (uids_find(u, from_id, old_name, &place, err) < 0)
		return -(int)CYG_ENOENT;
	l.uid = place.uid;
	l.home = cyg_str_of(place.home);
	return add_line(u, &l, err);
}
