/* What terminal.c (the shell and its pty) and client.c (browsers) share. */
#ifndef TERMINAL_TERMINAL_PRIV_H
#define TERMINAL_TERMINAL_PRIV_H

#include "kernels/base/outq.h"
#include "kernels/base/ws.h"
#include "kernels/terminal/ring.h"
#include "kernels/terminal/terminal.h"

enum {
	TERMINAL_NAME_SIZE = 65,
	TERMINAL_READ = 64 * 1024,
	TERMINAL_INPUT_MAX = 8 * 1024 * 1024, /* typed or pasted and not yet read by the program */
	TERMINAL_CLIENT_MAX =
	    8 * 1024 * 1024,         /* then a browser is cut off; it gets the ring anew */
	TERMINAL_PAUSE = 512 * 1024, /* the quickest browser has that much to read: stop reading */
	TERMINAL_LAST_READS = 512,   /* what a pty may still hold, in pieces of 4 KB, and more */
	TERMINAL_HANGUP_MS = 2000,   /* from SIGHUP to SIGKILL */
	TERMINAL_ROWS = 24,
	TERMINAL_COLS = 80,
};

struct terminals {
	struct terminals_opts opts;
	char *runtime_dir;
	struct cyg_list list;
	struct cyg_list leaving; /* browsers that read on when their shell has ended */
	int64_t last_activity_us;
};

struct terminal {
	struct cyg_link link;
	struct terminals *owner;
	char name[TERMINAL_NAME_SIZE];
	char *ring_path;
	struct ring *ring;
	int pid, pty; /* pty: -1 when closed */
	uv_poll_t poll;
	bool polling, poll_open;
	uv_timer_t timer;
	struct cyg_buf input;
	char tail[4]; /* the beginning of a character whose rest has not been read */
	size_t tail_len;
	struct cyg_list clients;
	int64_t last_activity_us;
	terminal_done_fn done;
	void *done_arg;
	bool ending;
};

/* ---- client.c ---- */
/* Whole characters to every browser. */
void clients_stdout(struct terminal *t, struct cyg_str text);
void clients_end(struct terminal *t, bool disconnect);
/* The least that any browser still has to read; 0 without browsers. */
uint64_t clients_least_waiting(const struct terminal *t);

/* ---- terminal.c ---- */
void terminal_input(struct terminal *t, struct cyg_str text);
void terminal_resize(struct terminal *t, unsigned rows, unsigned cols);
/* A browser has read on, or is gone. */
void terminal_watch(struct terminal *t);

#endif
