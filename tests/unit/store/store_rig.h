/* For unit tests of the store: one in a folder of its own, and a second reader of its file. */
#ifndef TESTS_STORE_RIG_H
#define TESTS_STORE_RIG_H

#include "base/mem.h"
#include "store/store.h"

#include <check.h>

extern struct store *st;
extern struct cyg_err err;
extern char rig_path[64];

/* What a callback saw: how many rows, and words about them. */
struct seen {
	int n;
	char text[256];
};

void rig_set_up(void);
void rig_tear_down(void);
/* What was not committed is lost. */
void rig_reopen(void);
/* Runs SQL, or reads one number, over a connection of its own. */
void rig_run_sql(const char *sql);
int rig_number(const char *sql);
/* A new user; its id. */
int64_t rig_add_user(const char *name);
/* A session of alice, who is there or not. */
void rig_add_session(const char *sum, int64_t expires_us);
/* The same, and alice is made. */
void rig_put_session(const char *sum, int64_t expires_us);
/* A test case of a suite of that name; each test runs between set_up and tear_down (rig_set_up and
 * rig_tear_down, or functions that call them). */
TCase *rig_case(const char *name, SFun set_up, SFun tear_down);
/* Runs it: the exit code of the program. */
int rig_run(TCase *tc);

#endif
