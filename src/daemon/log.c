/* Log lines: formatted in one buffer, cleaned of control bytes, written with one write(). */
#include "daemon/log.h"

#include "base/clock.h"
#include "base/mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { LOG_LINE_MAX = 2048 };

static struct {
	char program[32];
	enum cyg_log_level level;
} sink = { .level = CYG_LOG_INFO };

void cyg_log_init(const char *program, enum cyg_log_level level)
{
	(void)cyg_str_copy(sink.program, sizeof(sink.program), cyg_str_of(program));
	sink.level = level;
}

/* Copies text and writes each control byte as \xNN, so that nobody can forge a line. */
static size_t clean(char *out, size_t size, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 5 < size; text++) {
		unsigned char c = (unsigned char)*text;

		if (c < 0x20 || c == 0x7f)
			n += (size_t)snprintf(out + n, 5, "\\x%02x", (unsigned)c);
		else
			out[n++] = *text;
	}
	out[n] = '\0';
	return n;
}

void cyg_log(enum cyg_log_level level, const char *object, const char *fmt, ...)
{
	static const char names[][6] = { "debug", "info", "warn", "error" };
	char text[LOG_LINE_MAX];
	char line[2 * LOG_LINE_MAX];
	char when[CYG_ISO8601_SIZE];
	va_list ap;
	size_t n;
	int head;

	if (level < sink.level)
		return;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cyg_clock_format(cyg_clock_wall_us(), when);
	head = snprintf(line, 256, "%s %s %s %.120s: ", when, sink.program, names[level],
	    object != NULL ? object : "-");
	n = head > 255 ? 255 : (size_t)(head > 0 ? head : 0);
	n += clean(line + n, sizeof(line) - n - 1, text);
	line[n++] = '\n';
	(void)!write(STDERR_FILENO, line, n);
}
