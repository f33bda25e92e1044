/* The files of a cluster below the secrets folder: what its daemons read, what scripts read, and
 * the record by which the next agent knows ports and secret. */
#include "base/file.h"
#include "base/mem.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"
#include "kernels/spark/cluster_priv.h"
#include "kernels/spark/files.h"
#include "kernels/spark/ports.h"

#include <fcntl.h>
#include <string.h>

enum { RECORD_MAX = 4 * 1024 * 1024 };

static const char *const places[] = { "{port.master}", "{port.master_web}", "{port.worker_web}" };

/* RUN/secrets/spark/clusters/ID: what {secrets} is for daemons. */
static char *secrets_dir(const struct cluster *c)
{
	return cyg_xasprintf("%s/secrets/spark/clusters/%s", c->opts.run_dir, c->id);
}

static void fill_folders(struct cluster *c)
{
	cyg_autofree char *secrets = secrets_dir(c);
	cyg_autofree char *runtime = cyg_xasprintf("%s/runtime/spark", c->opts.run_dir);

	fill_free(&c->fill);
	fill_init(&c->fill);
	fill_set(&c->fill, "{run}", c->opts.run_dir);
	fill_set(&c->fill, "{secrets}", secrets);
	fill_set(&c->fill, "{runtime}", runtime);
}

static int take(struct cluster *c, struct cyg_str text, struct cyg_err *err)
{
	struct answer *answer = NULL;
	int rc = answer_read(text, &answer, err);

	if (rc < 0)
		return rc;
	answer_free(c->answer);
	c->answer = answer;
	if (c->text != NULL)
		cyg_cleanse(c->text, strlen(c->text));
	free(c->text);
	c->text = cyg_str_dup(text);
	fill_folders(c);
	if (answer_secret(answer, "cluster") != NULL)
		fill_set(&c->fill, "{secret.cluster}", answer_secret(answer, "cluster"));
	cluster_name_daemons(c);
	return 0;
}

int cluster_prepare(struct cluster *c, struct cyg_str text, struct cyg_err *err)
{
	int rc = take(c, text, err);

	return rc < 0 ? rc : ports_pick(&c->fill, places, CYG_N(places), err);
}

/* ---- files ---- */

/* What scripts and terminals read stands at its own place, and is that of the server's own cluster.
 */
static int write_file(struct cluster *c, const struct answer_pair *file, struct cyg_err *err)
{
	const bool is_scripts = cyg_str_starts(cyg_str_of(file->name), "driver/");
	cyg_autofree char *dir =
	    is_scripts ? cyg_xasprintf("%s/secrets/spark", c->opts.run_dir) : secrets_dir(c);

	if (is_scripts && !c->opts.is_own)
		return 0;
	return spark_write_filled(dir, file->name, file->value, &c->fill, err);
}

static int write_record(struct cluster *c, struct cyg_err *err)
{
	cyg_autofree char *dir = secrets_dir(c);
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	int rc;

	cyg_buf_init(&out, RECORD_MAX);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key(&w, "ports");
	jsonw_object(&w);
	for (size_t i = 0; i < CYG_N(places); i++)
		jsonw_key_int(&w, places[i], ports_of(&c->fill, places[i]));
	jsonw_object_end(&w);
	jsonw_key(&w, "response");
	jsonw_raw(&w, cyg_str_of(c->text));
	jsonw_object_end(&w);
	rc = jsonw_finish(&w, err);
	if (rc == 0)
		rc = spark_write_secret(dir, "cluster.json", cyg_buf_str(&out), err);
	cyg_cleanse(out.data, out.len);
	return rc;
}

int cluster_write_files(struct cluster *c, struct cyg_err *err)
{
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < c->answer->n_files; i++) {
		if (!cyg_str_starts(cyg_str_of(c->answer->files[i].name), "sessions/"))
			rc = write_file(c, &c->answer->files[i], err);
	}
	return rc < 0 ? rc : write_record(c, err);
}

static int read_ports(struct cluster *c, const struct tape *t, struct cyg_err *err)
{
	tape_node ports = tape_find(t, tape_root(t), "ports");

	for (size_t i = 0; i < CYG_N(places); i++) {
		tape_node n = tape_find(t, ports, places[i]);
		int64_t port = 0;

		if (n == TAPE_NONE || tape_int(t, n, &port, NULL) < 0 || port < 1 || port > 65535)
			return cyg_fail(err, CYG_EPROTO, "its record has no port %s", places[i]);
		fill_set_port(&c->fill, places[i], (unsigned)port);
	}
	return 0;
}

int cluster_read_record(struct cluster *c, struct cyg_err *err)
{
	cyg_autofree char *dir = secrets_dir(c);
	cyg_autofree char *path = cyg_xasprintf("%s/cluster.json", dir);
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	tape_node response;
	int rc;

	cyg_buf_init(&text, RECORD_MAX);
	rc = cyg_file_read(AT_FDCWD, path, false, &text, err);
	if (rc == 0)
		rc = tape_parse(cyg_buf_str(&text), &t, NULL, err);
	if (rc == 0) {
		response = tape_find(t, tape_root(t), "response");
		rc = response == TAPE_NONE ? cyg_fail(err, CYG_EPROTO, "its record is not whole")
					   : take(c, tape_text(t, response), err);
	}
	if (rc == 0)
		rc = read_ports(c, t, err);
	tape_free(t);
	cyg_cleanse(text.data, text.len);
	return rc;
}

void cluster_wipe(struct cluster *c)
{
	cyg_autofree char *dir = secrets_dir(c);
	cyg_autofree char *scripts =
	    cyg_xasprintf("%s/secrets/spark/driver/spark-defaults.conf", c->opts.run_dir);

	(void)cyg_file_remove_tree(
	    AT_FDCWD, dir, NULL); /* on a tmpfs, so nothing remains on disk */
	if (c->opts.is_own)
		(void)unlink(scripts);
	if (c->text != NULL)
		cyg_cleanse(c->text, strlen(c->text));
	free(CYG_TAKE(c->text));
	fill_free(&c->fill);
	fill_init(&c->fill);
}
