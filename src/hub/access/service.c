/* Services in memory, each with a row. */
#include "hub/access/service.h"

#include "base/clock.h"
#include "base/hash.h"
#include "base/mem.h"
#include "hub/access/roles.h"
#include "hub/access/token.h"
#include "store/undo.h"

#include <string.h>

struct services {
	struct cyg_hash *by_name;
};

static struct service *service_new(const char *name)
{
	struct service *s = cyg_xcalloc(1, sizeof(*s));

	(void)cyg_str_copy(s->name, sizeof(s->name), cyg_str_of(name));
	cyg_list_init(&s->tokens);
	return s;
}

static void on_row(void *arg, const void *found)
{
	const struct store_service *row = found;
	struct access *access = arg;
	struct service *s = service_new(row->name);

	s->admin = row->admin;
	s->created_us = row->created_us;
	(void)cyg_hash_set(access->services->by_name, cyg_str_of(s->name), s);
}

int services_load(struct access *access, struct cyg_err *err)
{
	access->services = cyg_xcalloc(1, sizeof(*access->services));
	access->services->by_name = cyg_hash_new();
	return store_read(access->opts.store, &store_services, on_row, access, err);
}

void services_free(struct services *services)
{
	if (services == NULL)
		return;
	cyg_hash_free(services->by_name, free);
	free(services);
}

struct service *services_find(const struct access *access, struct cyg_str name)
{
	return cyg_hash_find(access->services->by_name, name);
}

/* The name is part of a path, of a filter and of the log. */
static int check_name(const char *name, struct cyg_err *err)
{
	size_t len = strlen(name);

	if (len == 0 || len >= CYG_NAME_MAX || name[0] == '.')
		return cyg_fail(
		    err, CYG_EINVAL, "A service's name has 1 to %d characters.", CYG_NAME_MAX - 1);
	for (const char *c = name; *c != '\0'; c++) {
		bool plain = (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9');
		if (!plain && strchr("-_.", *c) == NULL)
			return cyg_fail(
			    err, CYG_EINVAL, "A service's name is made of a-z, 0-9 and -_.");
	}
	return 0;
}

int service_make(
    struct access *access, const char *name, bool admin, struct service **ret, struct cyg_err *err)
{
	if (check_name(name, err) < 0)
		return -CYG_EINVAL;
	if (services_find(access, cyg_str_of(name)) != NULL)
		return cyg_fail(err, CYG_EEXIST, "Service %s already exists", name);
	struct service *s = service_new(name);
	store_hash_set(access->opts.store, access->services->by_name, cyg_str_of(s->name), s, free);
	s->admin = admin;
	s->created_us = cyg_clock_wall_us();
	const struct store_service row = { s->name, s->admin, s->created_us };
	store_put(access->opts.store, &store_services, &row);
	*ret = s;
	return 0;
}

void service_remove(struct access *access, struct service *service)
{
	roles_follow(access, ROLE_OF_SERVICE, service->name, NULL);
	tokens_forget(access, &service->tokens);
	store_remove(
	    access->opts.store, &store_services, &(struct store_service){ .name = service->name });
	store_hash_remove(
	    access->opts.store, access->services->by_name, cyg_str_of(service->name), free);
}
