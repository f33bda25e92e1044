/* Reads sizes, times and options of a JVM as Spark itself does. */
#include "spark/words.h"

#include "base/mem.h"
#include "base/num.h"

#include <ctype.h>
#include <string.h>

/* ---- numbers with a unit ---- */

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit sizes[] = { { "b", 1 }, { "k", 1ULL << 10 }, { "kb", 1ULL << 10 },
	{ "m", 1ULL << 20 }, { "mb", 1ULL << 20 }, { "g", 1ULL << 30 }, { "gb", 1ULL << 30 },
	{ "t", 1ULL << 40 }, { "tb", 1ULL << 40 }, { "p", 1ULL << 50 }, { "pb", 1ULL << 50 },
	{ NULL, 0 } };
static const struct unit times[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60 * 1000 },
	{ "min", 60 * 1000 }, { "h", 3600 * 1000 }, { "d", 24 * 3600 * 1000 }, { NULL, 0 } };

static bool has_unit(const struct unit *units, struct cyg_str name, uint64_t *factor)
{
	for (; units->name != NULL; units++) {
		if (cyg_str_case_eq(name, units->name)) {
			*factor = units->factor;
			return true;
		}
	}
	return name.len == 0;
}

/* factor holds that of a bare number. */
static bool parse(const char *text, const struct unit *units, uint64_t factor, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	uint64_t n = 0;

	if (cyg_num_parse_u64((struct cyg_str){ text, digits }, 0, UINT64_MAX / 2, &n, NULL) < 0 ||
	    !has_unit(units, cyg_str_of(text + digits), &factor))
		return false;
	return !__builtin_mul_overflow(n, factor, ret);
}

int spark_size_parse(const char *text, uint64_t bare, uint64_t *bytes, struct cyg_err *err)
{
	if (parse(text, sizes, bare, bytes))
		return 0;
	return cyg_fail(err, CYG_EINVAL, "'%.40s' is not a size such as 512m or 2g", text);
}

int spark_time_parse(const char *text, uint64_t bare, uint64_t *ms, struct cyg_err *err)
{
	uint64_t us;

	if (parse(text, times, bare, ms))
		return 0;
	if (parse(text, (const struct unit[]){ { "us", 1 }, { NULL, 0 } }, 1000 * bare, &us)) {
		*ms = us / 1000;
		return 0;
	}
	return cyg_fail(err, CYG_EINVAL, "'%.40s' is not a time such as 30s or 5min", text);
}

/* ---- options ---- */

/* One word from *p on, which stands on its first byte; false when a quote stays open or the text
 * ends in a backslash. Writes at most as many bytes as it reads, and the end. */
static bool take_word(const char **p, char *out)
{
	char quote = '\0';

	for (; **p != '\0' && (quote != '\0' || !isspace((unsigned char)**p)); (*p)++) {
		if (quote != '\0' && **p == quote)
			quote = '\0';
		else if (quote == '\0' && (**p == '"' || **p == '\''))
			quote = **p;
		else if (**p != '\\' || quote == '\'')
			*out++ = **p;
		else if ((*p)[1] == '\0')
			return false;
		else
			*out++ = *++*p;
	}
	*out = '\0';
	return quote == '\0';
}

int spark_words_split(const char *text, struct cyg_arena *arena, const char **list, size_t max,
    size_t *n, struct cyg_err *err)
{
	char *room = cyg_arena_alloc(arena, strlen(text) + 1);

	for (const char *p = text;;) {
		while (isspace((unsigned char)*p))
			p++;
		if (*p == '\0')
			return 0;
		if (*n == max)
			return cyg_fail(err, CYG_ELIMIT, "more than %zu options", max);
		if (!take_word(&p, room))
			return cyg_fail(err, CYG_EINVAL,
			    "a quote stays open, or it ends in a backslash: '%.80s'", text);
		list[(*n)++] = room;
		room += strlen(room) + 1;
	}
}
