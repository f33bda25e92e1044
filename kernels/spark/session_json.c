/* What is said of a session: to browsers, and to its kernel. */
#include "base/clock.h"
#include "base/mem.h"
#include "kernels/spark/monitor.h"
#include "kernels/spark/ports.h"
#include "kernels/spark/session_priv.h"

#include <string.h>

static void write_json(struct jsonw *w, const char *key, const char *json, const char *otherwise)
{
	jsonw_key(w, key);
	jsonw_raw(w, cyg_str_of(json != NULL ? json : otherwise));
}

static void write_time(struct jsonw *w, const char *key, int64_t us)
{
	char text[CYG_ISO8601_SIZE];

	cyg_clock_format(us, text);
	jsonw_key_cstr(w, key, us != 0 ? text : NULL);
}

/* The hub's word once it is there, until then what was wanted. */
static void write_flavour(const struct session *s, struct jsonw *w)
{
	if (s->flavour_name != NULL)
		jsonw_key_cstr(w, "flavour", s->flavour_name);
	else
		write_json(w, "flavour", s->flavour, "\"classic\"");
}

void session_write(const struct session *s, struct jsonw *w)
{
	const struct sessions_opts *opts = sessions_opts_of(s->owner);
	const bool waits = session_text(s) != NULL;

	jsonw_key_cstr(w, "id", s->id);
	jsonw_key_cstr(w, "kernel", s->kernel);
	jsonw_key_cstr(w, "cluster", s->cluster_id);
	jsonw_key_cstr(w, "label", s->label != NULL ? s->label : s->cluster_id);
	write_flavour(s, w);
	jsonw_key_cstr(w, "state", session_state_name(s));
	jsonw_key_cstr(w, "stage", waits ? session_state_name(s) : NULL);
	jsonw_key_cstr(w, "text", session_text(s));
	jsonw_key_cstr(w, "cause", session_cause(s));
	jsonw_key_cstr(w, "hint", s->hint);
	write_time(w, "since", s->since_us);
	jsonw_key_cstr(w, "app", opts->app_of(opts->arg, s->id));
	write_json(w, "options", s->options, "{}");
	write_json(w, "bundles", s->bundles, "[]");
	write_json(w, "ignored", s->ignored, "[]");
	write_time(w, "idle_ends", s->idle_ends_us);
}

/* Options of which a session that is there has another value, or none. */
static void write_others(const struct session *s, struct cyg_str options, struct jsonw *w)
{
	struct tape *own = NULL;
	struct tape *wanted = NULL;

	jsonw_array(w);
	if (options.p != NULL && tape_parse(options, &wanted, NULL, NULL) == 0 &&
	    tape_parse(s->options != NULL ? cyg_str_of(s->options) : CYG_STR("{}"), &own, NULL,
		NULL) == 0) {
		for (tape_node n = tape_first(wanted, tape_root(wanted)); n != TAPE_NONE;
		     n = tape_next(wanted, n)) {
			struct cyg_str key = tape_key_text(wanted, n);
			cyg_autobuf struct cyg_buf name;
			tape_node have;

			cyg_buf_init(&name, 1024);
			have = tape_unquote(key, &name, NULL) == 0
				   ? tape_find(own, tape_root(own), name.data)
				   : TAPE_NONE;
			if (have == TAPE_NONE ||
			    !cyg_str_same(tape_text(own, have), tape_text(wanted, n)))
				jsonw_raw(w, key);
		}
	}
	jsonw_array_end(w);
	tape_free(wanted);
	tape_free(own);
}

void session_write_ready(
    const struct session *s, bool adopted, struct cyg_str options, struct jsonw *w)
{
	const bool connect = s->flavour_name != NULL && strcmp(s->flavour_name, "connect") == 0;
	cyg_autofree char *secrets = session_secrets_dir(s);
	cyg_autofree char *runtime = session_runtime_dir(s);
	cyg_autofree char *gateway = cyg_xasprintf("%s/gateway", secrets);
	cyg_autofree char *token = cyg_xasprintf("%s/token", secrets);
	cyg_autofree char *out = cyg_xasprintf("%s/stdout", runtime);
	cyg_autofree char *log = session_log_path(s);
	cyg_autofree char *remote =
	    cyg_xasprintf("sc://localhost:%u", ports_of(&s->fill, "{port.connect}"));

	jsonw_key_cstr(w, "id", s->id);
	jsonw_key_cstr(w, "flavour", s->flavour_name);
	jsonw_key_cstr(w, "label", s->label);
	jsonw_key_cstr(w, "gateway", connect ? NULL : gateway);
	jsonw_key_cstr(w, "remote", connect ? remote : NULL);
	jsonw_key_cstr(w, "token", connect ? token : NULL);
	jsonw_key_cstr(w, "session_id", connect ? s->uuid : NULL);
	jsonw_key_cstr(w, "stdout", out);
	jsonw_key_cstr(w, "log", log);
	jsonw_key_bool(w, "adopted", adopted);
	jsonw_key(w, "ignored");
	if (adopted)
		write_others(s, options, w);
	else
		jsonw_raw(w, cyg_str_of(s->ignored != NULL ? s->ignored : "[]"));
}

void session_write_failed(const struct session *s, struct jsonw *w)
{
	cyg_autofree char *log = session_log_path(s);

	jsonw_object(w);
	jsonw_key(w, "failed");
	jsonw_object(w);
	jsonw_key_cstr(w, "cause", s->cause != NULL ? s->cause : "The session was ended.");
	jsonw_key_cstr(w, "hint", s->hint);
	jsonw_key_cstr(w, "log", s->has_log ? log : NULL);
	jsonw_object_end(w);
	jsonw_object_end(w);
}

char *session_describe(const struct session *s, struct monitor_driver *ret)
{
	char *dir = session_runtime_dir(s);

	*ret = (struct monitor_driver){ .session = s->id,
		.kernel = s->kernel,
		.cluster = s->cluster_id,
		.label = s->label,
		.flavour = s->flavour_name,
		.ui_port = session_ui_port(s),
		.key = session_ui_key(s),
		.dir = dir };
	return dir;
}
