/* Services: programs that use the API with a token of their own. */
#ifndef HUB_ACCESS_SERVICE_H
#define HUB_ACCESS_SERVICE_H

#include "base/list.h"
#include "hub/access/access.h"

struct service {
	char name[CYG_NAME_MAX];
	bool admin; /* has the role admin */
	int64_t created_us;
	struct cyg_list tokens; /* token.c's */
};

int services_load(struct access *access, struct cyg_err *err);
/* After the tokens. NULL is accepted. */
void services_free(struct services *services);
struct service *services_find(const struct access *access, struct cyg_str name);
/* A new one; its row is written in this turn. -CYG_EEXIST, -CYG_EINVAL. */
int service_make(
    struct access *access, const char *name, bool admin, struct service **ret, struct cyg_err *err);
/* Removes the row, the roles and the tokens. */
void service_remove(struct access *access, struct service *service);

#endif
