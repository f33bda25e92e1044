/* Files and folders of the agent's Spark: the hook in spark-env.sh, our Python package, and what
 * the page of settings shows. */
#include "base/file.h"
#include "base/mem.h"
#include "daemon/log.h"
#include "kernels/base/jsonw.h"
#include "kernels/base/tape.h"
#include "kernels/spark/files.h"
#include "kernels/spark/package.h"
#include "kernels/spark/spark_priv.h"

#include <fcntl.h>

enum { FACTS_MAX = 2 * 1024 * 1024 };

/* Writes spark-env.sh, which Spark's launcher sources before every JVM: it waits until the cluster
 * is up, or ends the launch with the reason. Not before a JVM that only says its version or its
 * options. Written once; the configuration follows when the cluster is up. */
static int write_spark_env(struct spark *s, struct cyg_err *err)
{
	cyg_autofree char *text = cyg_xasprintf(
	    "# Written by cygnet-agent: starts the cluster when Spark is needed for the first time.\n"
	    "case \"$*\" in\n"
	    "*.SparkSubmit\\ --version | *.SparkSubmit\\ --help | *.SparkSubmit\\ -h | *pyspark-shell-main*\\ --version | *spark-shell*\\ --version) ;;\n"
	    "*) '%s' --spark-up '%s' || exit 1 ;;\n"
	    "esac\n",
	    s->opts.program, s->socket_path);

	return spark_write_secret(s->secrets_dir, "driver/spark-env.sh", cyg_str_of(text), err);
}

int spark_write_hooks(struct spark *s, struct cyg_err *err)
{
	static const char *const below_secrets[] = { "", "/clusters", "/driver", "/sessions" };
	static const char *const below_runtime[] = { "", "/python", "/work", "/local", "/empty",
		"/sessions" };
	cyg_autofree char *python = cyg_xasprintf("%s/python", s->runtime_dir);
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < CYG_N(below_secrets); i++) {
		cyg_autofree char *dir = cyg_xasprintf("%s%s", s->secrets_dir, below_secrets[i]);

		rc = cyg_file_mkdirs(dir, 0700, err);
	}
	for (size_t i = 0; rc == 0 && i < CYG_N(below_runtime); i++) {
		cyg_autofree char *dir = cyg_xasprintf("%s%s", s->runtime_dir, below_runtime[i]);

		rc = cyg_file_mkdirs(dir, 0700, err);
	}
	if (rc == 0)
		rc = spark_package_write(python, err);
	if (rc == 0)
		rc = write_spark_env(s, err);
	return rc;
}

/* ---- what the page shows ---- */

static int write_facts(const struct spark *s, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/properties.json", s->runtime_dir);
	cyg_autobuf struct cyg_buf out;
	struct jsonw w;
	int rc;

	cyg_buf_init(&out, FACTS_MAX);
	jsonw_init(&w, &out);
	jsonw_object(&w);
	jsonw_key_cstr(&w, "label", s->label);
	jsonw_key(&w, "properties");
	jsonw_raw(&w, cyg_str_of(s->properties));
	jsonw_object_end(&w);
	rc = jsonw_finish(&w, err);
	return rc < 0 ? rc : cyg_file_write(AT_FDCWD, path, cyg_buf_str(&out), 0600, err);
}

void spark_keep_facts(const struct spark *s)
{
	struct cyg_err err;

	if (write_facts(s, &err) < 0)
		cyg_log_warn("spark", "%s", err.msg);
}

/* The user may have changed the file: when it is not valid it is ignored. */
void spark_read_facts(struct spark *s)
{
	cyg_autofree char *path = cyg_xasprintf("%s/properties.json", s->runtime_dir);
	cyg_autobuf struct cyg_buf text;
	struct tape *t = NULL;
	tape_node properties;

	cyg_buf_init(&text, FACTS_MAX);
	if (cyg_file_read(AT_FDCWD, path, false, &text, NULL) < 0 ||
	    tape_parse(cyg_buf_str(&text), &t, NULL, NULL) < 0)
		return;
	properties = tape_find(t, tape_root(t), "properties");
	if (properties != TAPE_NONE && tape_type_of(t, properties) == TAPE_ARRAY) {
		free(s->label);
		free(s->properties);
		s->label = tape_get_str(t, tape_root(t), "label");
		s->properties = cyg_str_dup(tape_text(t, properties));
	}
	tape_free(t);
}
