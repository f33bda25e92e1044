/* Ownership that reads straight down: locals that own are cyg_auto*, and ownership leaves a
 * function only through CYG_TAKE. Small fixed allocations abort when memory is out (crash-only
 * makes that safe); anything sized by a peer has a limit and uses malloc with a checked result. */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

void cyg_free_ptr(void *pp);
void cyg_close_fd(const int *fd);

#define cyg_autofree  __attribute__((cleanup(cyg_free_ptr)))
#define cyg_autoclose __attribute__((cleanup(cyg_close_fd)))
/* Gives the value of an owning local away and leaves NULL behind. */
#define CYG_TAKE(p)                                                                                \
	(__extension__({                                                                           \
		__typeof__(p) take_ = (p);                                                         \
		(p) = NULL;                                                                        \
		take_;                                                                             \
	}))
/* The same for a descriptor; leaves -1 behind. */
#define CYG_TAKE_FD(fd)                                                                            \
	(__extension__({                                                                           \
		int take_ = (fd);                                                                  \
		(fd) = -1;                                                                         \
		take_;                                                                             \
	}))
#define CYG_CONTAINER_OF(ptr, type, member)                                                        \
	((type *)(void *)((char *)(__extension__({                                                 \
		__typeof__(((type *)0)->member) *member_ = (ptr);                                  \
		member_;                                                                           \
	})) - offsetof(type, member)))
#define CYG_N(array) (sizeof(array) / sizeof((array)[0]))

/* Zeroed memory for n objects of size bytes; aborts when there is none. Caller frees with free().
 */
void *cyg_xcalloc(size_t n, size_t size);
void *cyg_xrealloc(void *p, size_t size);
/* A copy of s (or of its first len bytes, terminated); aborts when memory is out. */
char *cyg_xstrdup(const char *s);
char *cyg_xstrndup(const char *s, size_t len);
/* printf into new memory; aborts when memory is out. */
char *cyg_xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Overwrites a secret so that the compiler cannot leave it out. */
void cyg_cleanse(void *p, size_t len);
/* Closes a descriptor if it is one (>= 0); errno is kept. */
void cyg_close(int fd);

#endif
