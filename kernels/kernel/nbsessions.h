/* The objects of Jupyter's api/sessions: which document uses which kernel. (A browser's session
 * with the hub is something else.) */
#ifndef KERNEL_NBSESSIONS_H
#define KERNEL_NBSESSIONS_H

#include "base/list.h"
#include "base/str.h"
#include "kernels/base/jsonw.h"

struct kernels;

struct nbsession {
	struct cyg_link link;
	char id[37];
	char kernel_id[37];
	char *path, *type;
	char *name; /* NULL: none was given */
};

struct nbsessions {
	struct cyg_list list; /* of struct nbsession */
	struct kernels *kernels;
	void (*on_change)(void *arg);
	void *arg;
};

void nbsessions_init(
    struct nbsessions *s, struct kernels *kernels, void (*on_change)(void *arg), void *arg);
void nbsessions_free(struct nbsessions *s);
/* id NULL: a new one; name may be NULL. */
struct nbsession *nbsessions_add(struct nbsessions *s, const char *id, const char *kernel_id,
    const char *path, const char *name, const char *type);
void nbsessions_remove(struct nbsessions *s, struct nbsession *one);
/* By id, or by path; NULL. Sessions whose kernel has gone are dropped first. */
struct nbsession *nbsessions_find(struct nbsessions *s, struct cyg_str id);
struct nbsession *nbsessions_find_path(struct nbsessions *s, struct cyg_str path);
void nbsessions_drop_dead(struct nbsessions *s);
/* {"id","path","name","type","kernel","notebook"?} */
void nbsession_write(const struct nbsessions *s, const struct nbsession *one, struct jsonw *w);

#endif
