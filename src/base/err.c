/* The error object: filling it, and putting context in front on the way up. */
#include "cygnet/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void err_format(struct cyg_err *err, enum cyg_code code, int sys, const char *fmt,
    va_list ap) __attribute__((format(printf, 4, 0)));

static void err_format(
    struct cyg_err *err, enum cyg_code code, int sys, const char *fmt, va_list ap)
{
	err->code = code;
	err->sys = sys;
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
}

/* The parentheses keep the macro of the same name from being expanded. */
int(cyg_fail)(struct cyg_err *err, enum cyg_code code, const char *fmt, ...)
{
	va_list ap;

	if (err != NULL) {
		va_start(ap, fmt);
		err_format(err, code, 0, fmt, ap);
		va_end(ap);
	}
	return -(int)code;
}

static enum cyg_code code_of_errno(int errnum)
{
	switch (errnum) {
	case ENOENT:
	case ENOTDIR:
		return CYG_ENOENT;
	case EACCES:
	case EPERM:
		return CYG_EDENIED;
	case EEXIST:
		return CYG_EEXIST;
	default:
		return CYG_ESYS;
	}
}

int cyg_fail_sys(struct cyg_err *err, int errnum, const char *fmt, ...)
{
	enum cyg_code code = code_of_errno(errnum);
	char text[96];
	va_list ap;
	size_t len;

	if (err == NULL)
		return -(int)code;
	va_start(ap, fmt);
	err_format(err, code, errnum, fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	/* The GNU strerror_r returns the text, and does not always use the buffer it is given. */
	(void)snprintf(
	    err->msg + len, sizeof(err->msg) - len, ": %s", strerror_r(errnum, text, sizeof(text)));
	return -(int)code;
}

int cyg_wrap(struct cyg_err *err, const char *fmt, ...)
{
	char inner[CYG_ERR_MSG];
	va_list ap;
	size_t len;

	if (err == NULL)
		return -(int)CYG_ESYS;
	memcpy(inner, err->msg, sizeof(inner));
	va_start(ap, fmt);
	(void)vsnprintf(err->msg, sizeof(err->msg), fmt, ap);
	va_end(ap);
	len = strlen(err->msg);
	(void)snprintf(
	    err->msg + len, sizeof(err->msg) - len, ": %.*s", (int)sizeof(inner) - 1, inner);
	return -(int)err->code;
}
