/* Makes argument list and environment of a JVM from the hub's row, the stack and the filled places.
 */
#include "kernels/spark/jvm.h"

#include "base/mem.h"
#include "daemon/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 3 * ANSWER_WORDS_MAX };

/* Opens its standard streams and becomes the JVM. A FIFO that is open for reading and writing never
 * ends: the driver does not end with whoever started it. Arguments: FIFO, file for the output, then
 * the command. */
static const char opener[] = "exec <>\"$0\" >>\"$1\"; shift; exec \"$@\"";

struct words {
	char *list[WORDS_MAX + 1];
	size_t n;
	struct cyg_err err;
	bool failed;
};

static void fail(struct words *w, const struct cyg_err *err)
{
	if (!w->failed)
		w->err = *err;
	w->failed = true;
}

/* Takes the word; NULL is a failure that *err tells, which is NULL where there can be none. */
static void add(struct words *w, char *word, const struct cyg_err *err)
{
	struct cyg_err many;

	if (word == NULL && err != NULL) {
		fail(w, err);
	} else if (w->n == WORDS_MAX) {
		free(word);
		(void)cyg_fail(&many, CYG_ELIMIT, "the hub wants too many words for a JVM");
		fail(w, &many);
	} else {
		w->list[w->n++] = word;
	}
}

static void add_text(struct words *w, const char *text)
{
	add(w, cyg_xstrdup(text), NULL);
}

static void add_filled(struct words *w, const struct fill *fill, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct cyg_err err;

		add(w, fill_new(fill, list[i], &err), &err);
	}
}

static void words_free(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->list[i]);
}

/* Spark's own jars come after what the hub puts before them. */
static void add_class_path(struct words *w, const struct jvm_spec *spec)
{
	cyg_autobuf struct cyg_buf path;
	struct cyg_err err;
	int rc = 0;

	cyg_buf_init(&path, 256 * 1024);
	for (size_t i = 0; rc == 0 && i < spec->jvm->n_class_path_extra; i++) {
		rc = fill_text(spec->fill, cyg_str_of(spec->jvm->class_path_extra[i]), &path, &err);
		if (rc == 0)
			rc = cyg_buf_add_str(&path, ":", &err);
	}
	if (rc == 0)
		rc = cyg_buf_add_str(&path, spec->stack->class_path, &err);
	add_text(w, "-cp");
	add(w, rc == 0 ? cyg_buf_take(&path, NULL) : NULL, &err);
}

/* An archive fits only where the stack's jars come first. Its words come before the hub's, so that
 * a user who asks the JVM for a log gets it. */
static void add_archive(struct words *w, const struct jvm_spec *spec)
{
	const bool is_driver = spec->in != NULL;

	if (spec->jvm->n_class_path_extra > 0)
		return;
	for (const char *const *word = archive_words(spec->archive, is_driver); *word != NULL;
	     word++)
		add_text(w, *word);
}

static void add_command(struct words *w, const struct jvm_spec *spec)
{
	const struct answer_jvm *jvm = spec->jvm;

	if (spec->in != NULL) {
		add_text(w, "/bin/sh");
		add_text(w, "-c");
		add_text(w, opener);
		add_text(w, spec->in);
		add_text(w, spec->out);
	}
	add_text(w, spec->stack->java);
	add(w, cyg_xasprintf("-Xmx%um", jvm->heap_mb), NULL);
	add_archive(w, spec);
	add_filled(w, spec->fill, jvm->jvm_options, jvm->n_jvm_options);
	add_class_path(w, spec);
	add_text(w, jvm->main_class);
	add_filled(w, spec->fill, jvm->arguments, jvm->n_arguments);
}

/* "NAME=value", filled. */
static int set_filled(struct env *env, const struct fill *fill, const char *const *list, size_t n,
    struct cyg_err *err)
{
	for (size_t i = 0; i < n; i++) {
		cyg_autofree char *one = fill_new(fill, list[i], err);
		char *value = one != NULL ? strchr(one, '=') : NULL;

		if (one == NULL)
			return -(int)err->code;
		if (value == NULL)
			continue;
		*value = '\0';
		env_set(env, one, value + 1);
	}
	return 0;
}

/* Without SPARK_SCALA_VERSION every executor of a worker would fail. */
static int make_env(const struct jvm_spec *spec, struct env *env, struct cyg_err *err)
{
	const char *library = spec->jvm->library_path_extra;
	const char *before;
	int rc;

	env_init(env, spec->env->list);
	env_set(env, "SPARK_HOME", spec->stack->home);
	env_set(env, "SPARK_SCALA_VERSION", spec->stack->scala);
	rc = set_filled(
	    env, spec->fill, spec->answer->environment, spec->answer->n_environment, err);
	if (rc == 0)
		rc = set_filled(
		    env, spec->fill, spec->jvm->environment, spec->jvm->n_environment, err);
	if (rc < 0 || library == NULL || library[0] == '\0')
		return rc;
	before = env_get(env, "LD_LIBRARY_PATH");
	cyg_autofree char *path = cyg_xasprintf("%s%s%s", library,
	    before != NULL && before[0] != '\0' ? ":" : "", before != NULL ? before : "");
	env_set(env, "LD_LIBRARY_PATH", path);
	return 0;
}

int jvm_start(struct init_link *init, const struct jvm_spec *spec, init_started_fn done, void *arg,
    struct cyg_err *err)
{
	struct words *argv = cyg_xcalloc(1, sizeof(*argv));
	struct init_start_spec start = { .tag = spec->tag, .cwd = spec->cwd, .log = spec->log };
	struct env env;
	int rc;

	add_command(argv, spec);
	rc = make_env(spec, &env, err);
	if (rc == 0 && argv->failed) {
		*err = argv->err;
		rc = -(int)err->code;
	}
	start.argv = (const char *const *)argv->list;
	start.env = (const char *const *)env.list;
	if (rc == 0)
		rc = init_link_start(init, &start, done, arg, err);
	env_free(&env);
	words_free(argv);
	free(argv);
	return rc < 0 ? cyg_wrap(err, "start Spark's %s", spec->jvm->name) : 0;
}

void jvm_signal(struct init_link *init, int pid, int signal)
{
	struct cyg_err err;

	if (pid != 0 && init_link_signal(init, pid, signal, true, &err) < 0)
		cyg_log_warn("spark", "cannot signal the process %d: %s", pid, err.msg);
}

char *jvm_end_text(const char *what, const struct init_exited *exited)
{
	const uint64_t mib = UINT64_C(1024) * 1024;

	if (exited->oom != 0 && exited->memory_limit != 0)
		return cyg_xasprintf(
		    "%s was ended because the server's memory was full (%u of %u MB)", what,
		    (unsigned)(exited->memory_used / mib), (unsigned)(exited->memory_limit / mib));
	if (exited->oom != 0)
		return cyg_xasprintf("%s was ended because the server's memory was full", what);
	if (exited->signal != 0)
		return cyg_xasprintf("%s was ended by signal %d (%s)", what, exited->signal,
		    strsignal(exited->signal));
	return cyg_xasprintf("%s ended with status %d", what, exited->status);
}
