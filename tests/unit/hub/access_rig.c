/* The rig of the access wing's tests. */
#include "tests/unit/hub/access_rig.h"

#include "base/mem.h"
#include "hub/access/role.h"
#include "hub/access/roles.h"

#include <check.h>
#include <stdio.h>
#include <unistd.h>

struct access_rig access_rig;
static char folder[64], path[96];

static void load(void)
{
	struct access_opts opts = { .session_ms = 3600 * 1000 };

	ck_assert_msg(
	    store_open(path, &access_rig.store, &access_rig.err) == 0, "%s", access_rig.err.msg);
	opts.store = access_rig.store;
	ck_assert_msg(
	    access_open(&opts, &access_rig.wing, &access_rig.err) == 0, "%s", access_rig.err.msg);
}

static void unload(void)
{
	access_free(access_rig.wing);
	store_close(access_rig.store);
}

void access_rig_again(void)
{
	ck_assert_msg(
	    store_commit(access_rig.store, &access_rig.err) == 0, "%s", access_rig.err.msg);
	unload();
	load();
}

void access_rig_start(void)
{
	(void)snprintf(folder, sizeof(folder), "/tmp/cyg-access-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/hub.db", folder);
	cyg_arena_init(&access_rig.arena);
	load();
}

void access_rig_stop(void)
{
	static const char *const files[] = { "hub.db", "hub.db-wal", "hub.db-shm" };

	unload();
	cyg_arena_free(&access_rig.arena);
	for (size_t i = 0; i < CYG_N(files); i++) {
		char name[128];
		(void)snprintf(name, sizeof(name), "%s/%s", folder, files[i]);
		(void)unlink(name);
	}
	(void)rmdir(folder);
}

struct person *access_rig_user(const char *name)
{
	struct person *p = people_find(access_rig.wing, cyg_str_of(name));

	if (p == NULL)
		ck_assert_msg(person_make(access_rig.wing, name, &p, &access_rig.err) == 0, "%s",
		    access_rig.err.msg);
	return p;
}

struct group *access_rig_group(const char *name)
{
	struct group *g = groups_find(access_rig.wing, cyg_str_of(name));

	if (g == NULL)
		ck_assert_msg(group_make(access_rig.wing, name, &g, &access_rig.err) == 0, "%s",
		    access_rig.err.msg);
	return g;
}

void access_rig_role(const char *name, const char *scope)
{
	json_t *scopes = json_pack("[s]", scope);

	ck_assert_msg(role_put(access_rig.wing, name, "", scopes, &access_rig.err) == 0, "%s",
	    access_rig.err.msg);
	json_decref(scopes);
}
