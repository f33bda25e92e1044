/* What a user, a service, or one of their tokens holds: makes a principal from rows of roles. */
#ifndef HUB_ACCESS_HOLDINGS_H
#define HUB_ACCESS_HOLDINGS_H

#include "hub/access/people.h"
#include "hub/access/principal.h"
#include "hub/access/service.h"
#include "hub/access/token.h"

/* Principals live in the arena and borrow the names. */
void holdings_nobody(const struct access *access, struct cyg_arena *arena, struct principal *ret);
void holdings_of_user(const struct access *access, const struct person *person,
    struct cyg_arena *arena, struct principal *ret);
void holdings_of_service(const struct access *access, const struct service *service,
    struct cyg_arena *arena, struct principal *ret);
/* A token: the owner's scopes, narrowed to the token's. */
void holdings_of_token(const struct access *access, const struct token *token,
    struct cyg_arena *arena, struct principal *ret);
/* Whether the token reaches every server of its user: then it is good at the edge, too. */
bool holdings_open_servers(const struct access *access, const struct token *token);
/* A server: its user's scopes, narrowed to those of the role "server". full is "USER/SERVER". */
void holdings_of_server(const struct access *access, const struct person *person, const char *full,
    struct cyg_arena *arena, struct principal *ret);
/* The administrator's token: the role "admin", and no rows. */
void holdings_of_administrator(
    const struct access *access, struct cyg_arena *arena, struct principal *ret);
/* The strings of a JSON array, borrowed; other values are left out. */
struct scope_texts holdings_texts(const json_t *scopes, struct cyg_arena *arena);

#endif
