/* The list of documents and their kernels. */
#include "kernels/kernel/nbsessions.h"

#include "base/enc.h"
#include "base/mem.h"
#include "kernels/kernel/kernels.h"

#include <string.h>

void nbsessions_init(
    struct nbsessions *s, struct kernels *kernels, void (*on_change)(void *arg), void *arg)
{
	cyg_list_init(&s->list);
	s->kernels = kernels;
	s->on_change = on_change;
	s->arg = arg;
}

static void drop(struct nbsessions *s, struct nbsession *one)
{
	cyg_list_remove(&s->list, &one->link);
	free(one->path);
	free(one->name);
	free(one->type);
	free(one);
}

void nbsessions_free(struct nbsessions *s)
{
	cyg_list_each_safe (it, &s->list) {
		drop(s, CYG_CONTAINER_OF(it, struct nbsession, link));
	}
}

struct nbsession *nbsessions_add(struct nbsessions *s, const char *id, const char *kernel_id,
    const char *path, const char *name, const char *type)
{
	struct nbsession *one = cyg_xcalloc(1, sizeof(*one));

	if (id != NULL)
		(void)cyg_str_copy(one->id, sizeof(one->id), cyg_str_of(id));
	else
		cyg_random_uuid(one->id);
	(void)cyg_str_copy(one->kernel_id, sizeof(one->kernel_id), cyg_str_of(kernel_id));
	one->path = cyg_xstrdup(path);
	one->name = name != NULL ? cyg_xstrdup(name) : NULL;
	one->type = cyg_xstrdup(type);
	cyg_list_add(&s->list, &one->link);
	s->on_change(s->arg);
	return one;
}

void nbsessions_remove(struct nbsessions *s, struct nbsession *one)
{
	drop(s, one);
	s->on_change(s->arg);
}

void nbsessions_drop_dead(struct nbsessions *s)
{
	size_t before = s->list.n;

	cyg_list_each_safe (it, &s->list) {
		struct nbsession *one = CYG_CONTAINER_OF(it, struct nbsession, link);

		if (kernels_find(s->kernels, cyg_str_of(one->kernel_id)) == NULL)
			drop(s, one);
	}
	if (s->list.n != before)
		s->on_change(s->arg);
}

struct nbsession *nbsessions_find(struct nbsessions *s, struct cyg_str id)
{
	cyg_list_each (it, &s->list) {
		struct nbsession *one = CYG_CONTAINER_OF(it, struct nbsession, link);

		if (cyg_str_eq(id, one->id))
			return one;
	}
	return NULL;
}

struct nbsession *nbsessions_find_path(struct nbsessions *s, struct cyg_str path)
{
	nbsessions_drop_dead(s);
	cyg_list_each (it, &s->list) {
		struct nbsession *one = CYG_CONTAINER_OF(it, struct nbsession, link);

		if (cyg_str_eq(path, one->path))
			return one;
	}
	return NULL;
}

void nbsession_write(const struct nbsessions *s, const struct nbsession *one, struct jsonw *w)
{
	const struct kernel *k = kernels_find(s->kernels, cyg_str_of(one->kernel_id));

	jsonw_object(w);
	jsonw_key_cstr(w, "id", one->id);
	jsonw_key_cstr(w, "path", one->path);
	jsonw_key_cstr(w, "name", one->name);
	jsonw_key_cstr(w, "type", one->type);
	jsonw_key(w, "kernel");
	if (k != NULL)
		kernel_write(k, w);
	else
		jsonw_null(w);
	if (strcmp(one->type, "notebook") == 0) {
		jsonw_key(w, "notebook");
		jsonw_object(w);
		jsonw_key_cstr(w, "path", one->path);
		jsonw_key_cstr(w, "name", one->name);
		jsonw_object_end(w);
	}
	jsonw_object_end(w);
}
