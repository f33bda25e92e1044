/* Sizes, times and options of a JVM out of values that users give. Words that were split and put in
 * quotes again split into the same words. */
#include "base/buf.h"
#include "base/mem.h"
#include "spark/words.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { WORDS = 64 };

/* In single quotes nothing but the quote itself means something. */
static void quote(struct cyg_buf *out, const char *word)
{
	(void)cyg_buf_add_str(out, " '", NULL);
	for (; *word != '\0'; word++)
		(void)cyg_buf_printf(out, NULL, *word == '\'' ? "'\\%c'" : "%c", *word);
	(void)cyg_buf_add_str(out, "'", NULL);
}

static void check_words(const char *text)
{
	const char *first[WORDS];
	const char *second[WORDS];
	size_t n = 0;
	size_t m = 0;
	struct cyg_arena arena;
	cyg_autobuf struct cyg_buf joined;

	cyg_arena_init(&arena);
	cyg_buf_init(&joined, 1 << 20);
	if (spark_words_split(text, &arena, first, WORDS, &n, NULL) == 0) {
		for (size_t i = 0; i < n; i++)
			quote(&joined, first[i]);
		(void)cyg_buf_add_str(&joined, " ", NULL);
		if (spark_words_split(joined.data, &arena, second, WORDS, &m, NULL) < 0 || m != n)
			abort();
		for (size_t i = 0; i < n; i++) {
			if (strcmp(first[i], second[i]) != 0)
				abort();
		}
	}
	cyg_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	cyg_autofree char *text = cyg_str_dup((struct cyg_str){ (const char *)data, size });
	uint64_t n;

	(void)spark_size_parse(text, 1 << 20, &n, NULL);
	(void)spark_time_parse(text, 1000, &n, NULL);
	if (size < 64 * 1024)
		check_words(text);
	return 0;
}
