/* The options of cygnet-proxy. */
#ifndef PROXY_OPTIONS_H
#define PROXY_OPTIONS_H

#include "daemon/options.h"

struct proxy_options {
	char *listen;  /* ADDRESS:PORT of the public listener */
	char *control; /* Unix sockets: control, inner listener */
	char *inner;
	char *table; /* static table's file */
	char *hosts;
	int scheme; /* index into proxy_schemes */
	int log_level;
	bool access_log;
	bool reuse_port;
	uint64_t connections_max;
	uint64_t header_ms, idle_ms, connect_ms, answer_ms, body_ms, drain_ms;
};

extern const char *const proxy_schemes[];
extern const struct cyg_program proxy_program;

#endif
