/* Makes a class-data archive once for each stack, and names it to JVMs. Which archive that is says
 * archive_key.c. */
#include "kernels/spark/archive.h"

#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "daemon/loop.h"
#include "kernels/base/env.h"
#include "kernels/spark/archive_key.h"
#include "kernels/spark/archive_room.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

enum {
	BUILD_DELAY_MS = 60 * 1000, /* the first cells run, so their classes are on the list too */
	KEPT_S = 30 * 24 * 3600,    /* an archive that was not used for so long is removed */
};

static const char tag[] = "spark:archive";

struct archive {
	struct archive_opts opts;
	char *path;    /* of the archive */
	char *lock;    /* file beside it, locked while somebody makes it */
	char *classes; /* the list of the first driver, in the run folder */
	char *words[ARCHIVE_WORDS_MAX + 1];
	bool has_list; /* a driver was told to write it */
	int pid;       /* of the process that makes it, or 0 */
	int lock_fd;
	uv_timer_t timer;
};

/* ---- what JVMs get ---- */

static void set_words(struct archive *a, const char *const *words, size_t n)
{
	for (size_t i = 0; i < ARCHIVE_WORDS_MAX; i++) {
		free(a->words[i]);
		a->words[i] = i < n ? cyg_xstrdup(words[i]) : NULL;
	}
}

/* Whether it is there; the time of the last use keeps it from being removed. */
static bool use(const struct archive *a)
{
	return access(a->path, R_OK) == 0 && utimensat(AT_FDCWD, a->path, NULL, 0) == 0;
}

/* Without the comparison of checksums, which costs a tenth of a second, a damaged file made the JVM
 * crash; with it the JVM ignores such a file. What it would say of that, and of an archive that
 * does not fit, must not stand in the user's notebook. */
static void set_use_words(struct archive *a)
{
	cyg_autofree char *file = cyg_xasprintf("-XX:SharedArchiveFile=%s", a->path);
	const char *const words[] = { file, "-Xshare:auto", "-XX:+VerifySharedSpaces",
		"-Xlog:disable" };

	set_words(a, words, CYG_N(words));
}

static void set_record_words(struct archive *a)
{
	cyg_autofree char *file = cyg_xasprintf("-XX:DumpLoadedClassList=%s", a->classes);
	const char *const words[] = { file };

	set_words(a, words, CYG_N(words));
	a->has_list = true;
}

const char *const *archive_words(struct archive *a, bool is_driver)
{
	static const char *const none[] = { NULL };

	if (a == NULL)
		return none;
	set_words(a, NULL, 0);
	if (use(a))
		set_use_words(a);
	else if (is_driver && !a->has_list)
		set_record_words(a);
	return (const char *const *)a->words;
}

/* ---- making it ---- */

/* False when somebody else makes it: another server of the same user. */
static bool lock(struct archive *a)
{
	a->lock_fd = open(a->lock, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY, 0600);
	if (a->lock_fd >= 0 && flock(a->lock_fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	cyg_close(CYG_TAKE_FD(a->lock_fd));
	return false;
}

static void done(struct archive *a)
{
	a->pid = 0;
	cyg_close(CYG_TAKE_FD(a->lock_fd));
}

/* It is the first that goes when memory is short, and it runs when nobody else does. The driver may
 * be writing the last line of the list. Arguments: the file that becomes the archive, the archive,
 * the driver's list, the list that is read, then the command. */
static const char maker[] =
    "echo 1000 2>/dev/null >/proc/self/oom_score_adj\n"
    "new=$0 archive=$1 written=$2 list=$3; shift 3\n"
    "if sed '$d' \"$written\" >\"$list\" && nice -n 19 \"$@\" && mv -f \"$new\" \"$archive\"\n"
    "then exit 0; fi\n"
    "rm -f \"$new\"; exit 1\n";

static void on_started(
    void *arg, const struct init_child *child, int pty_fd, const struct cyg_err *err)
{
	struct archive *a = arg;

	cyg_close(pty_fd);
	if (child != NULL) {
		a->pid = child->pid;
		return;
	}
	cyg_log_warn("spark", "no class-data archive: %s", err->msg);
	done(a);
}

static int start(struct archive *a, struct cyg_err *err)
{
	const struct spark_stack *stack = a->opts.stack;
	char id[17];
	cyg_random_hex(id, 8);
	cyg_autofree char *new = cyg_xasprintf("%s.%s.part", a->path, id);
	cyg_autofree char *list = cyg_xasprintf("%s.list", a->classes);
	cyg_autofree char *list_word = cyg_xasprintf("-XX:SharedClassListFile=%s", list);
	cyg_autofree char *file_word = cyg_xasprintf("-XX:SharedArchiveFile=%s", new);
	cyg_autofree char *log = cyg_xasprintf("%s/log/spark-archive.log", a->opts.run_dir);
	const char *const argv[] = { "/bin/sh", "-c", maker, new, a->path, a->classes, list,
		stack->java, "-Xmx256m", "-XX:TieredStopAtLevel=1", "-Xshare:dump", list_word,
		file_word, "-cp", stack->class_path, NULL };
	struct init_start_spec spec = {
		.tag = tag, .cwd = a->opts.cache_dir, .log = log, .argv = argv
	};
	struct env env;
	int rc;

	env_init(&env, NULL);
	env_set(&env, "PATH", spark_stack_setup(stack, "PATH", "/usr/bin:/bin"));
	env_set(&env, "LD_LIBRARY_PATH", spark_stack_setup(stack, "LD_LIBRARY_PATH", ""));
	spec.env = (const char *const *)env.list;
	rc = init_link_start(a->opts.init, &spec, on_started, a, err);
	env_free(&env);
	return rc;
}

static void build(struct archive *a)
{
	struct cyg_err err;

	if (a->lock_fd >= 0 || use(a) || access(a->classes, R_OK) != 0)
		return;
	if (!archive_has_room("/sys/fs/cgroup")) {
		cyg_log_info("spark", "no class-data archive now: memory is short");
		return;
	}
	if (cyg_file_mkdirs(a->opts.cache_dir, 0700, &err) < 0) {
		cyg_log_warn("spark", "no class-data archive: %s", err.msg);
		return;
	}
	if (!lock(a))
		return;
	cyg_log_info("spark", "makes the class-data archive %s", a->path);
	if (start(a, &err) < 0) {
		cyg_log_warn("spark", "no class-data archive: %s", err.msg);
		done(a);
	}
}

static void on_timer(uv_timer_t *timer)
{
	build(timer->data);
}

void archive_build_soon(struct archive *a)
{
	if (a != NULL && a->has_list && a->lock_fd < 0 && !uv_is_active((uv_handle_t *)&a->timer))
		(void)uv_timer_start(&a->timer, on_timer, BUILD_DELAY_MS, 0);
}

void archive_on_child(struct archive *a, const struct init_child *child)
{
	if (a == NULL || strcmp(child->tag, tag) != 0)
		return;
	a->pid = child->pid;
	(void)lock(a);
}

/* ---- when it is made ---- */

static bool is_old(int dirfd, const char *name, time_t now)
{
	struct stat st;

	return fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(st.st_mode) &&
	       st.st_mtim.tv_sec < now - KEPT_S;
}

/* Archives of stacks that this user does not use any more, and what was interrupted: each is as
 * large as Spark itself. */
static void remove_old(const char *dir_path)
{
	DIR *dir = opendir(dir_path);
	const struct dirent *e;
	const time_t now = time(NULL);

	if (dir == NULL)
		return;
	while ((e = readdir(dir)) != NULL) {
		if (cyg_str_starts(cyg_str_of(e->d_name), "spark-") &&
		    is_old(dirfd(dir), e->d_name, now))
			(void)unlinkat(dirfd(dir), e->d_name, 0);
	}
	(void)closedir(dir);
}

void archive_on_exited(struct archive *a, const struct init_exited *exited)
{
	if (a == NULL || a->pid == 0 || a->pid != exited->pid)
		return;
	done(a);
	if (exited->status != 0 || exited->signal != 0)
		cyg_log_warn("spark",
		    "the class-data archive was not made (%s %d): log/spark-archive.log says more",
		    exited->signal != 0 ? "signal" : "code",
		    exited->signal != 0 ? exited->signal : exited->status);
	else
		cyg_log_info("spark", "the class-data archive is made");
	remove_old(a->opts.cache_dir);
}

/* ---- life ---- */

struct archive *archive_new(const struct archive_opts *opts)
{
	struct cyg_err err;
	cyg_autofree char *key = archive_key(opts->stack, &err);
	struct archive *a;

	if (key == NULL) {
		cyg_log_info("spark", "JVMs start without a class-data archive: %s", err.msg);
		return NULL;
	}
	a = cyg_xcalloc(1, sizeof(*a));
	a->opts = *opts;
	a->lock_fd = -1;
	a->path = cyg_xasprintf("%s/%s.jsa", opts->cache_dir, key);
	a->lock = cyg_xasprintf("%s/%s.lock", opts->cache_dir, key);
	a->classes = cyg_xasprintf("%s/runtime/spark/classes", opts->run_dir);
	(void)uv_timer_init(opts->loop, &a->timer);
	a->timer.data = a;
	return a;
}

static void on_closed(uv_handle_t *timer)
{
	struct archive *a = timer->data;

	set_words(a, NULL, 0);
	free(a->path);
	free(a->lock);
	free(a->classes);
	free(a);
}

void archive_close(struct archive *a)
{
	if (a == NULL)
		return;
	if (a->lock_fd >= 0)
		init_link_forget(a->opts.init, a);
	done(a);
	uv_close((uv_handle_t *)&a->timer, on_closed);
}
