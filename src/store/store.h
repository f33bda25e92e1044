/* The hub's memory on disk: one SQLite file (WAL, synchronous=FULL, mode 0600). Writes of one turn
 * of the loop are one transaction; what shall happen outside because of them is queued and leaves
 * only after that transaction is on disk. No secret is stored, only SHA-256 sums of them. */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "cygnet/err.h"
#include "cygnet/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct store;

enum { STORE_SHA256_LEN = 64, STORE_USUAL_OF = 9 };

/* Opens or creates the file and brings its schema to the newest version. A file of a newer Cygnet
 * is refused with -CYG_EPROTO. The lock of the state folder is the caller's matter. */
int store_open(const char *path, struct store **ret, struct cyg_err *err);
/* What was not committed is rolled back; queued effects are dropped. NULL is accepted. */
void store_close(struct store *st);
/* Ends the turn: commits what was written and runs the effects queued meanwhile, again and again
 * until the effects write nothing more. On failure nothing of the failed turn has left, and the
 * caller must end the process (start is recovery). Does nothing when nothing is to be done. */
int store_commit(struct store *st, struct cyg_err *err);
/* fn(arg) runs once the present turn is on disk (also when it wrote nothing), in order. */
void store_after_commit(struct store *st, void (*fn)(void *arg), void *arg);
/* Drops the queued effects with this arg: it is about to be freed. */
void store_forget(struct store *st, const void *arg);
/* Version of the schema, for tests. */
int store_schema_version(void);

/* ---- the tables. Writing calls return nothing: a failure is kept and makes the turn's
 * store_commit fail. In rows that are read, text is valid during the callback only. ---- */

struct store_user {
	const char *name;
	const char *provider; /* who vouches for the name: "development", an OIDC provider's id */
	const char *subject;  /* the provider's own identifier */
	const char *groups;   /* JSON array of strings */
	bool admin;
	int64_t created_us, last_activity_us; /* wall clock; 0: never */
};
typedef void (*store_user_fn)(void *arg, const struct store_user *row);
void store_user_put(struct store *st, const struct store_user *user);
void store_user_active(struct store *st, const char *name, int64_t at_us);
int store_users_read(struct store *st, store_user_fn fn, void *arg, struct cyg_err *err);

struct store_session {
	const char *sha256; /* of the cookie's text, hex */
	const char *user;
	const char *provider;
	int64_t created_us, expires_us;
};
typedef void (*store_session_fn)(void *arg, const struct store_session *row);
void store_session_put(struct store *st, const struct store_session *session);
void store_session_remove(struct store *st, const char *sha256);
void store_sessions_expire(struct store *st, int64_t now_us);
int store_sessions_read(struct store *st, store_session_fn fn, void *arg, struct cyg_err *err);

/* A sign-in begun at an OpenID provider and not ended: sums of the state and of the secret in the
 * browser's cookie. */
struct store_attempt {
	const char *state, *cookie; /* SHA-256, hex */
	const char *provider, *next;
	int64_t expires_us;
};
typedef void (*store_attempt_fn)(void *arg, const struct store_attempt *row);
void store_attempt_put(struct store *st, const struct store_attempt *attempt);
void store_attempt_remove(struct store *st, const char *state);
void store_attempts_expire(struct store *st, int64_t now_us);
int store_attempts_read(struct store *st, store_attempt_fn fn, void *arg, struct cyg_err *err);

struct store_server {
	const char *user, *server; /* the key; server "" is the default one */
	const char *id;            /* 16 hex digits, of this life of the server */
	const char *state;         /* name of a server state */
	const char *credential;    /* SHA-256 of its inner door credential, or "" */
	const char *options;       /* the checked answers, JSON */
	const char *isolation;     /* of the spawner that started it */
	int64_t since_us, started_us, last_activity_us;
};
typedef void (*store_server_fn)(void *arg, const struct store_server *row);
void store_server_put(struct store *st, const struct store_server *server);
void store_server_active(struct store *st, const char *id, int64_t at_us);
int store_servers_read(struct store *st, store_server_fn fn, void *arg, struct cyg_err *err);

/* An outside effect: the row is written before it happens, and ended after. */
struct store_intent {
	int64_t seq;
	const char *server_id;
	const char *kind; /* "spawn", "stop" */
	int64_t begun_us;
};
typedef void (*store_intent_fn)(void *arg, const struct store_intent *row);
void store_intent_begin(struct store *st, const char *server_id, const char *kind, int64_t at_us);
/* Ends the open intents of that kind ("" for every kind) of the server. */
void store_intent_end(
    struct store *st, const char *server_id, const char *kind, const char *outcome, int64_t at_us);
/* Those that have not ended. */
int store_intents_read(struct store *st, store_intent_fn fn, void *arg, struct cyg_err *err);
/* Forgets ended ones older than before_us. */
void store_intents_trim(struct store *st, int64_t before_us);

/* How long a stage took with a stack; the newest STORE_USUAL_OF of each are kept. */
void store_stage_add(struct store *st, const char *stack, const char *stage, uint32_t ms);
/* The median of those kept; false when there is none. */
bool store_stage_usual(struct store *st, const char *stack, const char *stage, uint32_t *ms);

/* The last choice of a person: the checked answers as JSON; NULL when none. Caller frees. */
void store_choice_put(struct store *st, const char *user, const char *options);
char *store_choice_find(struct store *st, const char *user);

/* How a server of theirs last ended. */
struct store_end {
	const char *user, *server;
	const char *cause;   /* oom, exit, signal, start_failed, stopped, unknown */
	const char *message; /* one sentence */
	const char *lines;   /* JSON array of strings */
	int64_t at_us;
};
typedef void (*store_end_fn)(void *arg, const struct store_end *row);
void store_end_put(struct store *st, const struct store_end *end);
/* The newest that was not dismissed; fn is called at most once. */
int store_end_find(
    struct store *st, const char *user, store_end_fn fn, void *arg, struct cyg_err *err);
void store_end_dismiss(struct store *st, const char *user);

#endif
