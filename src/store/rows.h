/* The rows of the store, one struct for each table; tables.c tells which field is which column. A
 * new table is a struct and a name here, its columns there, and a step in migrations.c.
 *
 * Rows that belong to a user (sessions, servers, choices, ends) name the user and follow it: a
 * rename is store_update(st, &store_users, row, "name") and a delete is store_remove(st,
 * &store_users, row); the database renames and removes the rest in the same turn. */
#ifndef STORE_ROWS_H
#define STORE_ROWS_H

#include <stdbool.h>
#include <stdint.h>

struct store_table;

struct store_user {
	int64_t id; /* the key; never given twice */
	const char *name;
	/* The user's name at the migration that gave users ids; "": made after it. Written by that
	 * migration alone. */
	const char *name_before;
	const char *provider; /* who vouches for the name: "development", an OIDC provider's id */
	const char *subject;  /* the provider's own identifier */
	const char *groups;   /* JSON array of strings */
	bool admin, admin_by_hand; /* for any reason; by an administrator, not by the provider */
	int64_t created_us, last_activity_us; /* wall clock; 0: never */
};
extern const struct store_table store_users;

/* A user who was deleted. What is left of them elsewhere, uid and home, hangs on the id. */
struct store_former {
	int64_t id;       /* the key: the user's */
	const char *name; /* at the end */
	int64_t created_us, deleted_us;
	int64_t handed_to, handed_us; /* id of who has uid and home now, and since; 0: nobody */
};
extern const struct store_table store_formers;

struct store_session {
	const char *sha256; /* the key: of the cookie's text, hex */
	const char *user;
	const char *provider;
	int64_t created_us, expires_us;
};
extern const struct store_table store_sessions;

/* A sign-in begun at an OpenID provider and not ended: sums of the state and of the secret in the
 * browser's cookie. */
struct store_attempt {
	const char *state, *cookie; /* SHA-256, hex; the state is the key */
	const char *provider, *next;
	int64_t expires_us;
};
extern const struct store_table store_attempts;

struct store_server {
	const char *user, *server; /* the key; server "" is the default one */
	const char *id;            /* 16 hex digits, of this life of the server */
	const char *state;         /* name of a server state */
	const char *credential;    /* SHA-256 of its credential at the inner listener, or "" */
	const char *options;       /* the checked user options, JSON */
	const char *isolation;     /* of the spawner that started it */
	int64_t since_us, started_us, last_activity_us;
};
extern const struct store_table store_servers;

/* An outside effect: the row is written before it happens, and ended after. */
struct store_intent {
	int64_t seq; /* the key, given by the table */
	const char *server_id;
	const char *kind; /* "spawn", "stop" */
	int64_t begun_us;
};
extern const struct store_table store_intents;

/* How long a stage took with a stack. */
struct store_stage {
	int64_t seq; /* the key, given by the table */
	const char *stack, *stage;
	int64_t ms;
};
extern const struct store_table store_stages;

/* The last choice of a user: the checked user options as JSON. */
struct store_choice {
	const char *user; /* the key */
	const char *options;
};
extern const struct store_table store_choices;

/* How a server last ended. */
struct store_end {
	const char *user, *server; /* the key */
	const char *cause;         /* oom, exit, signal, start_failed, stopped, unknown */
	const char *message;       /* one sentence */
	const char *lines;         /* JSON array of strings */
	int64_t at_us;
	bool dismissed; /* its user has seen it */
};
extern const struct store_table store_ends;

/* Who did what: rows are only added (store_audit_add), and the oldest removed (store_audit_trim).
 */
struct store_audit {
	int64_t id; /* the key, given by the table */
	int64_t at_us;
	const char *actor;  /* "user:alice", "service:cull", "hub" */
	const char *action; /* "user.delete" */
	const char *object; /* "user:bob", "server:bob/gpu" */
	const char *detail; /* JSON object, or "" */
};
extern const struct store_table store_audits;

/* An API token of a user or a service; only the SHA-256 of its text is kept. It follows its owner:
 * a rename and a delete are done by the database. */
struct store_token {
	int64_t id;                /* the key; never given twice: "a17" */
	const char *sha256;        /* hex */
	const char *kind, *owner;  /* "user" or "service", and its name */
	const char *scopes, *note; /* JSON array of texts as they were asked for */
	int64_t created_us, expires_us, last_activity_us; /* wall clock; 0: never */
};
extern const struct store_table store_tokens;

/* A group made by an administrator, or one of a provider that has properties. Members follow their
 * user and their group. */
struct store_group {
	const char *name;       /* the key */
	const char *properties; /* JSON object */
	int64_t created_us;
};
extern const struct store_table store_groups;

struct store_member {
	const char *of_group, *user; /* the key */
	int64_t created_us;
};
extern const struct store_table store_members;

/* A program that uses the API with a token of its own. */
struct store_service {
	const char *name; /* the key */
	bool admin;       /* has the role admin */
	int64_t created_us;
};
extern const struct store_table store_services;

/* A role of the site. The four default ones have no row. */
struct store_role {
	const char *name, *description; /* the name is the key */
	const char *scopes;             /* JSON array of texts */
};
extern const struct store_table store_roles;

/* Who has a role. The row follows its role and its holder. */
struct store_holder {
	const char *role;        /* the key, with the next two */
	const char *kind, *name; /* "user", "group" or "service" */
	int64_t created_us;
};
extern const struct store_table store_holders;

#endif
