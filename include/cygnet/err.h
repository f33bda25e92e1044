/* Why a call failed: the error object every fallible function takes as its last parameter. The
 * caller owns the storage (usually on its stack); there is nothing to free. */
#ifndef CYGNET_ERR_H
#define CYGNET_ERR_H

#define CYG_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define CYG_MUSTCHECK    __attribute__((warn_unused_result))

/* For programs: a handler maps the code to an HTTP status or an exit code. */
enum cyg_code {
	CYG_OK = 0,
	CYG_EINVAL,   /* the caller's or the user's data is wrong: 400 */
	CYG_ENOENT,   /* the thing asked for does not exist: 404 */
	CYG_EDENIED,  /* not allowed: 403 */
	CYG_EEXIST,   /* already there, or in a state that forbids it: 409 */
	CYG_ELIMIT,   /* over a limit: 413 or 429 */
	CYG_ETIMEOUT, /* a deadline passed: 504 */
	CYG_EPROTO,   /* the peer does not speak the protocol: 502 */
	CYG_EBUSY,    /* try again later: 503 */
	CYG_ESYS,     /* the operating system refused: 500 */
};

enum { CYG_ERR_MSG = 320 };

struct cyg_err {
	enum cyg_code code;
	int sys;               /* errno of a failed system call, else 0 */
	char msg[CYG_ERR_MSG]; /* for users; never holds a secret */
};

/* Fills *err (which may be NULL) and returns -code, so that failing is one statement. A macro as
 * well (code is evaluated twice), so that an analyzer of the calling file sees what is returned. */
int cyg_fail(struct cyg_err *err, enum cyg_code code, const char *fmt, ...) CYG_PRINTF(3, 4);
#define cyg_fail(err, code, ...) ((void)(cyg_fail)(err, code, __VA_ARGS__), -(int)(code))
/* The same for a failed system call: records errnum and appends its text. Returns -CYG_ESYS, but
 * -CYG_ENOENT, -CYG_EDENIED and -CYG_EEXIST for ENOENT, EACCES/EPERM and EEXIST. */
int cyg_fail_sys(struct cyg_err *err, int errnum, const char *fmt, ...) CYG_PRINTF(3, 4);
/* Puts "context: " in front of the message already there; returns the same -code (with
 * err NULL the code is not known: -CYG_ESYS). One wrap per layer, saying what that layer was doing.
 */
int cyg_wrap(struct cyg_err *err, const char *fmt, ...) CYG_PRINTF(2, 3);

#endif
