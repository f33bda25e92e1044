/* The policy layer: what no other layer, and no user, may change. */
#ifndef SPARK_POLICY_H
#define SPARK_POLICY_H

#include "spark/render.h"

/* Major, minor and patch of "4.2.0"; fails on anything else. */
int spark_version_parse(const char *text, int version[3], struct cyg_err *err);
/* Whether AES-GCM works: it hangs before 3.5.9, 4.0.4 and 4.1.3 (SPARK-56227). */
bool spark_has_gcm(const int version[3]);
/* Whether the UI can be locked with tokens: JWSFilter is there since 4.0. */
bool spark_has_jws(const int version[3]);

/* Borrowed; NULL: the setting is left out. */
struct spark_policy {
	int version[3];
	const char *secret; /* of this cluster */
	const char *master_url;
	const char *ui_port;
	const char *ui_key; /* of the tokens that open the UI; ignored before 4.0 */
	const char *connect_port, *connect_token;
};

enum { SPARK_POLICY_MAX = 32 };
/* Authentication, AES-GCM (CTR before it worked), engine version 2, no SASL fall-back, I/O
 * encryption, loopback for driver and UI, and the locks of UI and Connect server. Returns how many
 * were written to out. */
size_t spark_policy_settings(
    const struct spark_policy *p, struct spark_setting out[SPARK_POLICY_MAX]);

#endif
