/* Files and folders of the agent's Spark: the hook in spark-env.sh, our Python
 * module, and the rendered configuration in the secrets tmpfs. */
#include "base/enc.h"
#include "base/file.h"
#include "base/mem.h"
#include "kernels/spark/spark_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* kernels/python/cygnet_spark.py, put into the program by the assembler: the container needs no
 * file of ours beside the two programs. */
__asm__(".section .rodata\n"
	".global spark_module_start\n"
	"spark_module_start:\n"
	".incbin \"kernels/python/cygnet_spark.py\"\n"
	".global spark_module_end\n"
	"spark_module_end:\n"
	".byte 0\n"
	".text\n");
extern const char spark_module_start[];
extern const char spark_module_end[];

/* Writes spark-env.sh, which Spark's launcher sources before every JVM: it waits until the cluster
 * is up, or ends the launch with the reason. Written once; the configuration follows when the
 * cluster is up. */
static int write_spark_env(struct spark *s, struct cyg_err *err)
{
	cyg_autofree char *text =
	    cyg_xasprintf("# Written by cygnet-agent: starts the cluster when Spark is "
			  "needed for the first time.\n"
			  "'%s' --spark-up '%s' || exit 1\n",
		s->opts.program, s->socket_path);

	return spark_write_secret(s, "driver/spark-env.sh", cyg_str_of(text), err);
}

int spark_write_hooks(struct spark *s, struct cyg_err *err)
{
	static const char *const below_secrets[] = { "", "/daemon", "/driver" };
	static const char *const below_runtime[] = { "", "/python", "/work", "/local", "/empty" };
	const struct cyg_str module = { spark_module_start,
		(size_t)(spark_module_end - spark_module_start) };
	cyg_autofree char *path = cyg_xasprintf("%s/python/cygnet_spark.py", s->runtime_dir);
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
		rc = cyg_file_write(AT_FDCWD, path, module, 0600, err);
	if (rc == 0)
		rc = write_spark_env(s, err);
	return rc;
}

int spark_write_secret(struct spark *s, const char *name, struct cyg_str text, struct cyg_err *err)
{
	cyg_autofree char *path = cyg_xasprintf("%s/%s", s->secrets_dir, name);

	return cyg_file_write(AT_FDCWD, path, text, 0400, err);
}

void spark_wipe(struct spark *s)
{
	static const char *const names[] = { "daemon/spark-defaults.conf",
		"driver/spark-defaults.conf" };

	for (size_t i = 0; i < CYG_N(names); i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", s->secrets_dir, names[i]);

		(void)unlink(path); /* on a tmpfs, so nothing remains on disk */
	}
}

/* Binds all four at once, so that they differ, and closes them for Spark to bind. No other user's
 * process is in the container to take them meanwhile. */
int spark_pick_ports(struct spark_ports *ports, struct cyg_err *err)
{
	unsigned *const wanted[] = { &ports->master, &ports->master_web, &ports->worker_web,
		&ports->driver_ui };
	int fds[CYG_N(wanted)];
	int rc = 0;

	for (size_t i = 0; i < CYG_N(wanted); i++) {
		struct sockaddr_in sa = { .sin_family = AF_INET,
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
		socklen_t len = sizeof(sa);

		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (rc == 0 && (fds[i] < 0 || bind(fds[i], (struct sockaddr *)&sa, len) < 0 ||
				   getsockname(fds[i], (struct sockaddr *)&sa, &len) < 0))
			rc = cyg_fail_sys(err, errno, "find a free port");
		*wanted[i] = ntohs(sa.sin_port);
	}
	for (size_t i = 0; i < CYG_N(wanted); i++)
		cyg_close(fds[i]);
	return rc;
}
