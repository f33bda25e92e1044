/* One scrape of the hub's metrics. */
#ifndef HUB_LINK_SCRAPE_H
#define HUB_LINK_SCRAPE_H

struct http_req;
struct metrics;
struct spawners;

/* Sends the response: the metrics are complete now. */
typedef void (*scrape_fn)(struct http_req *req);

/* Asks every spawner for its counts and puts them into m, then calls respond, once, perhaps from
 * inside; not when the request is aborted. A spawner that has not told within a second is shown as
 * down. */
void scrape_start(
    struct http_req *req, struct spawners *spawners, struct metrics *m, scrape_fn respond);

#endif
