/* API tokens of users and services: made while the hub runs, shown once, found by their SHA-256. */
#ifndef HUB_ACCESS_TOKEN_H
#define HUB_ACCESS_TOKEN_H

#include "base/list.h"
#include "hub/access/people.h"
#include "hub/access/principal.h"
#include "hub/base/secret.h"

enum {
	/* Each is a row of the proxy's table, which all users share. Scripts that make one at every
	 * run and delete none reach this limit before the table is full. */
	TOKENS_OF_OWNER = 200,
	TOKEN_NOTE_MAX = 1024,  /* JupyterHub's 1,023 characters */
	TOKEN_SCOPES_MAX = 128, /* as a role's */
};

struct service;

struct token {
	struct cyg_link link; /* on its owner's list */
	int64_t id;
	char sum[SECRET_SUM_SIZE];
	struct person *person;   /* the owner: this one, or */
	struct service *service; /* this one */
	json_t *scopes;          /* as asked for: array of strings */
	char *note;
	int64_t created_us, expires_us, last_activity_us; /* 0: never */
};

/* A new token. The scopes have been checked. */
struct token_spec {
	struct person *person;
	struct service *service;
	json_t *scopes; /* borrowed */
	const char *note;
	int64_t expires_us;
};

int tokens_load(struct access *access, struct cyg_err *err);
/* Frees them without removing their rows. NULL is accepted. */
void tokens_free(struct tokens *tokens);
/* The live token of that text, or NULL. */
struct token *tokens_find(const struct access *access, struct cyg_str text, int64_t now_us);
/* A token of that user by its id, or NULL. */
struct token *tokens_find_of(const struct person *person, int64_t id);
/* A new one; its text is given here and nowhere else. Written in this turn. -CYG_ELIMIT: the owner
 * has too many. */
int token_make(struct access *access, const struct token_spec *spec,
    char text[CYG_CREDENTIAL_LEN + 1], struct token **ret, struct cyg_err *err);
/* Ends and frees it. */
void token_end(struct access *access, struct token *token);
/* It was used; written at most every 30 s. */
void token_active(struct access *access, struct token *token, int64_t now_us);
/* Ends those that have expired; true when there were any. */
bool tokens_expire(struct access *access, int64_t now_us);
/* Iterates as cyg_hash_next does. */
bool tokens_next(const struct access *access, size_t *pos, const struct token **ret);
/* Forgets those of an owner that is removed; their rows go with the owner's. */
void tokens_forget(struct access *access, struct cyg_list *of_owner);

#endif
