/* What the files of a cluster share. */
#ifndef SPARK_CLUSTER_PRIV_H
#define SPARK_CLUSTER_PRIV_H

#include "http/client.h"
#include "kernels/spark/cluster.h"

enum { CLUSTER_DAEMONS_MAX = ANSWER_JVMS_MAX - 1 };

struct cluster_daemon {
	struct cluster *cluster;
	const struct answer_jvm *jvm; /* of the cluster's answer */
	char tag[INIT_TAG_MAX];
	int pid;          /* 0: it does not run, as far as is known */
	bool is_starting; /* init was asked, and has not responded */
	unsigned
	    unwanted;   /* so many older responses of init are still to come: end what they bring */
	unsigned ended; /* how often in a row it ended by itself */
	uint64_t ended_ms;
};

struct cluster {
	struct cluster_opts opts;
	char *id;
	enum cluster_state state;
	char *why;
	char *text;            /* the hub's response that it was started with; cleansed */
	struct answer *answer; /* the same, read */
	struct fill fill;
	struct cluster_daemon daemons[CLUSTER_DAEMONS_MAX];
	size_t n_daemons;
	uv_timer_t timer; /* looks whether it is open and up, up to a time limit */
	uint64_t deadline_ms;
	struct http_call *call;
};

/* ---- cluster_files.c ---- */
/* Chooses ports, fills the places, reads the response; text is taken over when it succeeds. */
int cluster_prepare(struct cluster *c, struct cyg_str text, struct cyg_err *err);
/* Writes the files that are not a session's, and the record for the next agent. */
int cluster_write_files(struct cluster *c, struct cyg_err *err);
/* Reads the record back. */
int cluster_read_record(struct cluster *c, struct cyg_err *err);
/* Forgets secret, ports and files. */
void cluster_wipe(struct cluster *c);

/* ---- cluster.c ---- */
void cluster_move(struct cluster *c, enum cluster_state to, const char *why);
void cluster_fail(struct cluster *c, const char *why);
/* Looks from now on, for two minutes at most, whether it is open and up. */
void cluster_look(struct cluster *c);

/* ---- cluster_daemons.c ---- */
/* Gives each daemon of the answer its tag. */
void cluster_name_daemons(struct cluster *c);
/* Starts the first daemon, if it does not run; the others follow when it listens. */
void cluster_start_first(struct cluster *c);
void cluster_start_others(struct cluster *c);
void cluster_end_daemons(struct cluster *c);
/* Whether any of them runs. */
bool cluster_runs(const struct cluster *c);

#endif
