/* Who did what: the one writer of the store's audit, and its reader. A row is written in
 * the turn of what it tells, so it is on disk with it or not at all. No row holds a secret. */
#ifndef HUB_ACCESS_AUDIT_H
#define HUB_ACCESS_AUDIT_H

#include "base/buf.h"
#include "cygnet/limits.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct audit;
struct person;
struct session;
struct store;
struct token;
struct who;

/* docs/admin-guide.md says what each tells. */
enum audit_action {
	AUDIT_SIGN_IN,
	AUDIT_SIGN_IN_REFUSED,
	AUDIT_SIGN_OUT,
	AUDIT_TOKEN_MAKE,
	AUDIT_TOKEN_DELETE,
	AUDIT_USER_MAKE,
	AUDIT_USER_RENAME,
	AUDIT_USER_ADMIN,
	AUDIT_USER_DELETE,
	AUDIT_USER_HAND_OVER, /* it was asked of the spawners */
	AUDIT_SERVER_START,
	AUDIT_SERVER_STOP,
	AUDIT_SPARK_CONNECT,
	AUDIT_SPARK_END,
	AUDIT_LOST, /* rows that could not be kept while nothing could be written */
	AUDIT_ACTIONS,
};

enum {
	AUDIT_SAYING_MAX = 200, /* of a text from outside: an address, a message of a spawner */
	AUDIT_SESSION_LEN = 12, /* digits of a session's sum: tells sessions apart, opens nothing */
	/* What happens whatever the disk says waits in memory to be written: of so many rows. */
	AUDIT_KEPT_MAX = 1000,
	/* Anybody can be refused: rows of an hour, about 5 MB a day. What is over is counted. */
	AUDIT_REFUSED_MAX = 600,
};

/* Who did it. */
struct audit_actor {
	char text[CYG_AUDIT_TEXT_MAX]; /* "user:alice", "service:cull", "server:alice/", "root" */
	int64_t token;                 /* the API token they asked with; 0: none */
};

/* One is enough for a hub. The store outlives it. */
struct audit *audit_new(struct store *st);
/* Rows that wait for the disk are lost. NULL is accepted. */
void audit_free(struct audit *a);

struct audit_actor audit_actor_of(const struct who *who);
struct audit_actor audit_actor_user(const char *name);
/* Writes a row in this turn. by: NULL is the hub itself. object: "user:bob", "token:a17",
 * "server:bob/gpu", or "". detail is an object and taken; NULL says nothing. What is too long for
 * a row (CYG_AUDIT_DETAIL_MAX) is left out of it, and said to be. a may be NULL: nothing is
 * written.
 *
 * When the turn cannot be written there is no row, as there is no deed; what has happened all the
 * same (a refusal, the end of a server) waits for audit_repair. */
void audit_add(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const char *object, json_t *detail);
/* The same about a user, a session of one, a token: what is told of each is added to the detail.
 * The token is still its owner's. */
void audit_user(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct person *person, json_t *detail);
void audit_session(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct session *s, json_t *detail);
void audit_token(struct audit *a, const struct audit_actor *by, enum audit_action action,
    const struct token *t, json_t *detail);
/* Writes what waits. The same may fail again, and waits on. */
void audit_repair(struct audit *a);

/* A text from outside as part of a detail: at most AUDIT_SAYING_MAX bytes, and '?' for each that is
 * no printable ASCII. A new object. */
json_t *audit_saying(struct cyg_str text);
/* The same of a time in microseconds; 0: null. */
json_t *audit_time(int64_t us);
/* The name of an action: "user.delete". */
const char *audit_action_name(enum audit_action action);

/* A window of time in which a number of rows may be written. Zeroed, it is before the first. */
struct audit_window {
	int64_t ends_us;
	unsigned n, left_out;
};
/* Whether one more may be; then *left_out is how many were not since the last that was. Pure. */
bool audit_window_take(struct audit_window *w, int64_t now_us, unsigned *left_out);

/* Appends a page as lines of JSON, newest first: at most CYG_AUDIT_PAGE_ROWS rows older than the id
 * before (0: from the newest): {"id", "at", "actor", "action", "object", "detail"}. */
int audit_page(struct store *st, int64_t before, struct cyg_buf *out, struct cyg_err *err);

#endif
