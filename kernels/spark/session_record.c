/* The record of a session for the next agent: RUN/secrets/spark/sessions/ID/session.json, which
 * holds the key of its UI. */
#include "base/clock.h"
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/spark/files.h"
#include "kernels/spark/session_priv.h"

#include <fcntl.h>
#include <string.h>

enum { RECORD_MAX = 1024 * 1024 };

static const char *const places[] = { "{port.ui}", "{port.connect}", "{secret.ui}" };

static void write_raw(struct jsonw *w, const char *key, const char *json)
{
	jsonw_key(w, key);
	jsonw_raw(w, cyg_str_of(json != NULL ? json : "null"));
}

static void write_places(const struct session *s, struct jsonw *w)
{
	jsonw_key(w, "places");
	jsonw_object(w);
	for (size_t i = 0; i < CYG_N(places); i++) {
		if (fill_get(&s->fill, places[i]) != NULL)
			jsonw_key_cstr(w, places[i], fill_get(&s->fill, places[i]));
	}
	jsonw_object_end(w);
}

static void write_all(const struct session *s, struct jsonw *w)
{
	jsonw_object(w);
	jsonw_key_cstr(w, "state", session_state_name(s));
	jsonw_key_cstr(w, "kernel", s->kernel);
	jsonw_key_cstr(w, "cwd", s->cwd);
	jsonw_key_cstr(w, "cluster", s->cluster_id);
	jsonw_key_cstr(w, "label", s->label);
	jsonw_key_cstr(w, "flavour_name", s->flavour_name);
	jsonw_key_cstr(w, "cause", s->cause);
	jsonw_key_cstr(w, "hint", s->hint);
	jsonw_key_cstr(w, "uuid", s->uuid);
	jsonw_key_int(w, "since_us", s->since_us);
	jsonw_key_bool(w, "has_log", s->has_log);
	write_raw(w, "flavour", s->flavour);
	write_raw(w, "bundles", s->bundles);
	write_raw(w, "options", s->options);
	write_raw(w, "notebook", s->notebook);
	write_raw(w, "user", s->user);
	write_raw(w, "pythonpath", s->pythonpath);
	write_places(s, w);
	jsonw_object_end(w);
}

/* One that cannot be kept works all the same, for as long as this agent lives. */
void session_keep(const struct session *s)
{
	cyg_autofree char *dir = session_secrets_dir(s);
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	struct cyg_err err;
	int rc;

	cyg_buf_init(&out, RECORD_MAX);
	if (s->state == SESSION_GONE)
		return;
	jsonw_init(&w, &out);
	write_all(s, &w);
	rc = jsonw_finish(&w, &err);
	if (rc == 0)
		rc = spark_write_secret(dir, "session.json", cyg_buf_str(&out), &err);
	if (rc < 0)
		cyg_log_warn("spark", "session %s: %s", s->id, err.msg);
	cyg_cleanse(out.data, out.len);
}

/* ---- reading ---- */

static bool find_state(const struct tape *t, enum session_state *ret)
{
	cyg_autofree char *name = tape_get_str(t, tape_root(t), "state");
	struct session one = { 0 };

	for (int i = 0; name != NULL && i < SESSION_STATES; i++) {
		one.state = (enum session_state)i;
		if (strcmp(session_state_name(&one), name) == 0) {
			*ret = one.state;
			return true;
		}
	}
	return false;
}

static struct cyg_str raw(const struct tape *t, const char *key)
{
	tape_node n = tape_find(t, tape_root(t), key);

	if (n == TAPE_NONE || tape_type_of(t, n) == TAPE_NULL)
		return (struct cyg_str){ NULL, 0 };
	return tape_text(t, n);
}

static void take_rest(struct session *s, const struct tape *t)
{
	const tape_node root = tape_root(t);
	const tape_node kept = tape_find(t, root, "places");
	cyg_autofree char *uuid = tape_get_str(t, root, "uuid");
	tape_node since = tape_find(t, root, "since_us");

	s->label = tape_get_str(t, root, "label");
	s->flavour_name = tape_get_str(t, root, "flavour_name");
	s->cause = tape_get_str(t, root, "cause");
	s->hint = tape_get_str(t, root, "hint");
	s->has_log = tape_get_bool(t, root, "has_log", false);
	if (uuid != NULL)
		(void)cyg_str_copy(s->uuid, sizeof(s->uuid), cyg_str_of(uuid));
	if (since != TAPE_NONE)
		(void)tape_int(t, since, &s->since_us, NULL);
	for (size_t i = 0; i < CYG_N(places); i++) {
		cyg_autofree char *value = tape_get_str(t, kept, places[i]);

		if (value != NULL)
			fill_set(&s->fill, places[i], value);
		if (value != NULL)
			cyg_cleanse(value, strlen(value));
	}
}

static struct session *from_record(struct sessions *owner, const char *id, const struct tape *t)
{
	const tape_node root = tape_root(t);
	cyg_autofree char *kernel = tape_get_str(t, root, "kernel");
	cyg_autofree char *cwd = tape_get_str(t, root, "cwd");
	cyg_autofree char *cluster = tape_get_str(t, root, "cluster");
	const struct session_want want = { .kernel = kernel,
		.cwd = cwd,
		.cluster = cluster,
		.flavour = raw(t, "flavour"),
		.bundles = raw(t, "bundles"),
		.options = raw(t, "options"),
		.notebook = raw(t, "notebook"),
		.user = raw(t, "user"),
		.pythonpath = raw(t, "pythonpath") };
	enum session_state state;
	struct session *s;

	if (kernel == NULL || cwd == NULL || cluster == NULL || !find_state(t, &state))
		return NULL;
	s = session_make(owner, &want, id);
	s->state = state;
	take_rest(s, t);
	s->cluster = sessions_cluster(owner, s->cluster_id);
	return s;
}

struct session *session_read(struct sessions *owner, const char *id)
{
	cyg_autofree char *path = cyg_xasprintf(
	    "%s/secrets/spark/sessions/%s/session.json", sessions_opts_of(owner)->run_dir, id);
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	struct session *s = NULL;
	struct cyg_err err;
	int rc;

	cyg_buf_init(&text, RECORD_MAX);
	rc = cyg_file_read(AT_FDCWD, path, false, &text, &err);
	if (rc == 0)
		rc = tape_parse(cyg_buf_str(&text), &t, NULL, &err);
	if (rc == 0)
		s = from_record(owner, id, t);
	if (s == NULL)
		cyg_log_warn("spark", "the record of session %s cannot be used%s%s", id,
		    rc < 0 ? ": " : "", rc < 0 ? err.msg : "");
	tape_free(t);
	cyg_cleanse(text.data, text.len);
	return s;
}
