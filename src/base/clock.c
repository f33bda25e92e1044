/* Reading the clocks; writing and reading RFC 3339 times. */
#include "base/clock.h"

#include "base/num.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

uint64_t cyg_clock_mono_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

uint64_t cyg_clock_mono_ms(void)
{
	return cyg_clock_mono_ns() / 1000000u;
}

int64_t cyg_clock_wall_us(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* Splits into whole seconds and microseconds, also before 1970. */
static void split(int64_t wall_us, struct tm *tm, int *us)
{
	int64_t sec = wall_us / 1000000;
	int64_t rest = wall_us % 1000000;
	time_t t;

	if (rest < 0) {
		rest += 1000000;
		sec--;
	}
	t = (time_t)sec;
	memset(tm, 0, sizeof(*tm));
	(void)gmtime_r(&t, tm);
	*us = (int)rest;
}

void cyg_clock_format(int64_t wall_us, char out[CYG_ISO8601_SIZE])
{
	char head[CYG_ISO8601_SIZE];
	struct tm tm;
	int us;

	split(wall_us, &tm, &us);
	if (strftime(head, sizeof(head), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		head[0] = '\0';
	(void)snprintf(out, CYG_ISO8601_SIZE, "%.20s.%06dZ", head, us);
}

void cyg_clock_format_http(int64_t wall_us, char out[CYG_ISO8601_SIZE])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug",
		"Sep", "Oct", "Nov", "Dec" };
	struct tm tm;
	int us;

	split(wall_us, &tm, &us);
	(void)snprintf(out, CYG_ISO8601_SIZE, "%s, %02u %s %04u %02u:%02u:%02u GMT",
	    days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100u, months[tm.tm_mon % 12],
	    (unsigned)(tm.tm_year + 1900) % 10000u, (unsigned)tm.tm_hour % 100u,
	    (unsigned)tm.tm_min % 100u, (unsigned)tm.tm_sec % 100u);
}

/* Takes exactly n digits off the front, then the byte after (0: none). */
static int take_digits(struct cyg_str *s, size_t n, uint64_t max, int *ret, struct cyg_err *err)
{
	uint64_t value = 0;

	if (s->len < n)
		return cyg_fail(err, CYG_EINVAL, "time is cut off");
	if (cyg_num_parse_u64(cyg_str_sub(*s, 0, n), 0, max, &value, err) < 0)
		return cyg_wrap(err, "time");
	*s = cyg_str_skip(*s, n);
	*ret = (int)value;
	return 0;
}

static int take_char(struct cyg_str *s, const char *allowed, struct cyg_err *err)
{
	if (s->len == 0 || strchr(allowed, s->p[0]) == NULL)
		return cyg_fail(err, CYG_EINVAL, "time is not RFC 3339");
	*s = cyg_str_skip(*s, 1);
	return 0;
}

static int take_date_time(struct cyg_str *s, struct tm *tm, struct cyg_err *err)
{
	if (take_digits(s, 4, 9999, &tm->tm_year, err) < 0 || take_char(s, "-", err) < 0 ||
	    take_digits(s, 2, 12, &tm->tm_mon, err) < 0 || take_char(s, "-", err) < 0 ||
	    take_digits(s, 2, 31, &tm->tm_mday, err) < 0 || take_char(s, "Tt ", err) < 0 ||
	    take_digits(s, 2, 23, &tm->tm_hour, err) < 0 || take_char(s, ":", err) < 0 ||
	    take_digits(s, 2, 59, &tm->tm_min, err) < 0 || take_char(s, ":", err) < 0 ||
	    take_digits(s, 2, 60, &tm->tm_sec, err) < 0)
		return -(int)CYG_EINVAL;
	tm->tm_year -= 1900;
	tm->tm_mon -= 1;
	return 0;
}

static int take_fraction(struct cyg_str *s, int64_t *us, struct cyg_err *err)
{
	int64_t unit = 100000;
	size_t n = 0;

	if (s->len == 0 || s->p[0] != '.')
		return 0;
	*s = cyg_str_skip(*s, 1);
	for (; s->len > 0 && s->p[0] >= '0' && s->p[0] <= '9' && n < 9; n++, unit /= 10) {
		*us += unit * (s->p[0] - '0');
		*s = cyg_str_skip(*s, 1);
	}
	return n > 0 ? 0 : cyg_fail(err, CYG_EINVAL, "time has an empty fraction");
}

int cyg_clock_parse(struct cyg_str s, int64_t *wall_us, struct cyg_err *err)
{
	struct tm tm = { 0 };
	int64_t us = 0;
	int64_t offset = 0;
	int hours = 0;
	int minutes = 0;
	char sign;

	if (take_date_time(&s, &tm, err) < 0 || take_fraction(&s, &us, err) < 0)
		return -(int)CYG_EINVAL;
	sign = s.len > 0 ? s.p[0] : '\0';
	if (take_char(&s, "Zz+-", err) < 0)
		return -(int)CYG_EINVAL;
	if (sign == '+' || sign == '-') {
		if (take_digits(&s, 2, 23, &hours, err) < 0 || take_char(&s, ":", err) < 0 ||
		    take_digits(&s, 2, 59, &minutes, err) < 0)
			return -(int)CYG_EINVAL;
		offset = ((int64_t)hours * 60 + minutes) * 60 * (sign == '-' ? -1 : 1);
	}
	if (s.len > 0)
		return cyg_fail(err, CYG_EINVAL, "time has text behind it");
	*wall_us = ((int64_t)timegm(&tm) - offset) * 1000000 + us;
	return 0;
}
