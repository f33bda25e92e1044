/* The event stream, api/events/subscribe: events in the form of jupyter_events, sent to every
 * subscriber. */
#ifndef KBASE_EVENTS_H
#define KBASE_EVENTS_H

#include "http/server.h"
#include "kernels/base/jsonw.h"

struct events;

struct events *events_new(uv_loop_t *loop);
void events_close(struct events *e);
/* How many subscribe now. */
size_t events_subscribers(const struct events *e);
/* Writes the members of an event's data into the capsule. */
typedef void (*events_write_fn)(struct jsonw *w, const void *arg);
/* Jupyter's own schemas begin with it. */
#define EVENTS_JUPYTER "https://events.jupyter.org/jupyter_server/"
/* Sends an event to every subscriber; one of more than 512 KiB is left out. Without subscribers
 * nothing is written. schema is its whole id, of version 1:
 * EVENTS_JUPYTER "kernel_actions/v1". */
void events_emit(struct events *e, const char *schema, events_write_fn write, const void *arg);
/* Mounted with a struct events. */
extern const struct http_endpoint events_endpoints[];

#endif
