/* What the audit is told of Spark: that a server was given a session, and how one ended. */
#ifndef HUB_SPARK_AUDIT_H
#define HUB_SPARK_AUDIT_H

struct audit;
struct audit_actor;
struct spark_chosen;
struct spark_report_ended;
struct srv;

/* A session that a server is given in this turn. */
struct spark_audit_connect {
	const struct audit_actor *by;
	const struct srv *srv;
	const struct spark_chosen *chosen;
	const char *cluster; /* id */
	const char *session; /* the agent's id of it; NULL: it sent none */
};

/* Writes the row: names of bundles and of options that somebody chose, never a value. Names for
 * which there is no room are counted. */
void spark_audit_connect(struct audit *audit, const struct spark_audit_connect *c);

/* A session of the server ended, as the server says. */
void spark_audit_end(struct audit *audit, const struct audit_actor *by, const struct srv *srv,
    const struct spark_report_ended *ended);

#endif
