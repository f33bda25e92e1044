/* The hub's response, and what kernels want: whatever is read is within the limits, and every text
 * of it can be filled or is refused. */
#include "base/mem.h"
#include "kernels/spark/answer.h"
#include "kernels/spark/fill.h"
#include "kernels/spark/want.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is filled has no place left. The values are digits, which no place holds: with letters
 * "{{session}ession}" would become one. */
static void check_text(const struct fill *f, const char *text)
{
	struct cyg_err err;
	cyg_autofree char *got = fill_new(f, text, &err);

	if (got != NULL && (strstr(got, "{session}") != NULL || strstr(got, "{port.") != NULL ||
			       strstr(got, "{secret.") != NULL))
		abort();
}

static void check_words(const struct fill *f, const char *const *list, size_t n, size_t max)
{
	if (n > max)
		abort();
	for (size_t i = 0; i < n; i++)
		check_text(f, list[i]);
}

static void check_files(const struct fill *f, const struct answer_pair *list, size_t n)
{
	if (n > ANSWER_FILES_MAX)
		abort();
	for (size_t i = 0; i < n; i++) {
		if (list[i].name[0] == '/' || strstr(list[i].name, "..") != NULL)
			abort();
		check_text(f, list[i].name);
		check_text(f, list[i].value);
	}
}

static void check_jvm(const struct fill *f, const struct answer_jvm *jvm)
{
	check_words(f, jvm->jvm_options, jvm->n_jvm_options, ANSWER_WORDS_MAX);
	check_words(f, jvm->class_path_extra, jvm->n_class_path_extra, ANSWER_WORDS_MAX);
	check_words(f, jvm->arguments, jvm->n_arguments, ANSWER_WORDS_MAX);
	check_words(f, jvm->environment, jvm->n_environment, ANSWER_ENV_MAX);
	if (jvm->heap_mb == 0 || jvm->heap_mb > ANSWER_HEAP_MAX_MB)
		abort();
	for (size_t i = 0; i < jvm->n_environment; i++) {
		if (strchr(jvm->environment[i], '=') == NULL)
			abort();
	}
}

static void check_answer(struct cyg_str text)
{
	struct answer *a = NULL;
	struct fill f;

	if (answer_read(text, &a, NULL) < 0)
		return;
	fill_init(&f);
	fill_set(&f, "{session}", "1");
	fill_set_port(&f, "{port.ui}", 1);
	fill_set_port(&f, "{port.master}", 2);
	if (a->n_jvms == 0 || a->n_jvms > ANSWER_JVMS_MAX || a->n_secrets > ANSWER_SECRETS_MAX)
		abort();
	for (size_t i = 0; i < a->n_jvms; i++)
		check_jvm(&f, &a->jvms[i]);
	check_files(&f, a->files, a->n_files);
	check_words(&f, a->environment, a->n_environment, ANSWER_ENV_MAX);
	fill_free(&f);
	answer_free(a);
}

static void check_want(struct cyg_str text)
{
	struct want w;

	if (want_read(text, &w, NULL) == 0 &&
	    (strchr(w.session.kernel, '/') != NULL ||
		(w.session.cluster != NULL && strchr(w.session.cluster, '/') != NULL)))
		abort();
	want_free(&w);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cyg_str text = { (const char *)data, size };

	check_answer(text);
	check_want(text);
	return 0;
}
