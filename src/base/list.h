/* An intrusive doubly linked list: the link lives in the object, so that moving an object between
 * lists allocates nothing. A link that is on no list points to itself. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include "base/mem.h"

#include <stdbool.h>

struct cyg_link {
	struct cyg_link *prev, *next;
};
struct cyg_list {
	struct cyg_link head;
	size_t n;
};

static inline void cyg_link_init(struct cyg_link *l)
{
	l->prev = l->next = l;
}
static inline bool cyg_link_is_on(const struct cyg_link *l)
{
	return l->next != NULL && l->next != l;
}
static inline void cyg_list_init(struct cyg_list *list)
{
	cyg_link_init(&list->head);
	list->n = 0;
}
static inline void cyg_list_add(struct cyg_list *list, struct cyg_link *l)
{
	l->prev = list->head.prev;
	l->next = &list->head;
	list->head.prev->next = l;
	list->head.prev = l;
	list->n++;
}
static inline void cyg_list_add_first(struct cyg_list *list, struct cyg_link *l)
{
	l->next = list->head.next;
	l->prev = &list->head;
	list->head.next->prev = l;
	list->head.next = l;
	list->n++;
}
static inline void cyg_list_remove(struct cyg_list *list, struct cyg_link *l)
{
	l->prev->next = l->next;
	l->next->prev = l->prev;
#ifdef __clang_analyzer__ /* it does not know the list of a link: any may have changed */
	void cyg_list_changed(struct cyg_list *);
	cyg_list_changed(list);
#endif
	cyg_link_init(l);
	list->n--;
}
static inline struct cyg_link *cyg_list_first(const struct cyg_list *list)
{
	return list->n > 0 ? list->head.next : NULL;
}

/* for each: it is the loop's struct cyg_link *; the safe form allows removing the current one. */
#define cyg_list_each(it, list)                                                                    \
	for (struct cyg_link *it = (list)->head.next; (it) != &(list)->head; (it) = (it)->next)
#define cyg_list_each_safe(it, list)                                                               \
	for (struct cyg_link *it = (list)->head.next, *it##_next = (it)->next;                     \
	     (it) != &(list)->head; (it) = it##_next, it##_next = (it)->next)

#endif
