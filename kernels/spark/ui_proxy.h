/* Spark's own UI of an application, at /user/NAME/spark-ui/APP/. */
#ifndef SPARK_UI_PROXY_H
#define SPARK_UI_PROXY_H

#include "http/server.h"

/* Mounted with the place of a struct monitor *, which knows where each UI is. GET alone, of the
 * pages and files that the UI has: nothing can be ended through it but by our own POST. */
extern const struct http_endpoint ui_proxy_endpoints[];

#endif
