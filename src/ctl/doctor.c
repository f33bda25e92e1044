/* `cygnetctl doctor`: what this machine offers to Cygnet, one line a check, with what to do about
 * it. */
#include "base/file.h"
#include "base/mem.h"
#include "base/num.h"
#include "ctl/command.h"
#include "daemon/options.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>

enum verdict { GOOD, NOTE, BAD };

struct check {
	enum verdict verdict;
	char text[200]; /* what was found, and what to do when it is not good */
};

struct doctor_options {
	char *bin_dir;
};

static const struct cyg_option option_table[] = {
	{ "bin-dir", OPT_STRING, offsetof(struct doctor_options, bin_dir), NULL, 0, 0, NULL, false,
	    "Folder of the cygnet-* programs to check for." },
	{ .name = NULL },
};
static const struct cyg_program program = {
	.name = "cygnetctl doctor",
	.purpose = "Checks what this machine offers to Cygnet and says what is missing.",
	.options = option_table,
};

static void say(struct check *c, enum verdict verdict, const char *fmt, ...) CYG_PRINTF(3, 4);

static void say(struct check *c, enum verdict verdict, const char *fmt, ...)
{
	va_list ap;

	c->verdict = verdict;
	va_start(ap, fmt);
	(void)vsnprintf(c->text, sizeof(c->text), fmt, ap);
	va_end(ap);
}

static bool read_number(const char *path, uint64_t *ret)
{
	cyg_autobuf struct cyg_buf text;

	cyg_buf_init(&text, 64);
	if (cyg_file_read(AT_FDCWD, path, true, &text, NULL) < 0)
		return false;
	while (text.len > 0 && text.data[text.len - 1] == '\n')
		text.len--;
	return cyg_num_parse_u64(cyg_buf_str(&text), 0, UINT64_MAX, ret, NULL) == 0;
}

/* Runs a command with no input and no output; its exit code, or -1. */
static int run_quiet(const char *const *argv)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		(void)dup2(null, 0);
		(void)dup2(null, 1);
		(void)dup2(null, 2);
		(void)execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

static void check_rights(struct check *c)
{
	if (geteuid() == 0)
		say(c, GOOD, "root: every user gets a uid of their own");
	else
		say(c, NOTE,
		    "uid %u, not root: servers run with your uid, so users are not separated from you or each other; fine for trying out",
		    (unsigned)geteuid());
}

static void check_namespaces(struct check *c)
{
	static const char *const bwrap[] = { "bwrap", "--unshare-all", "--ro-bind", "/", "/",
		"--dev", "/dev", "--proc", "/proc", "true", NULL };
	uint64_t max = 0;
	int code = run_quiet(bwrap);

	if (code == 0)
		say(c, GOOD,
		    "bubblewrap makes sandboxes (user, pid, net, mount, ipc, uts, cgroup)");
	else if (code == 127)
		say(c, BAD, "bubblewrap is not installed: apt-get install bubblewrap");
	else if (read_number("/proc/sys/user/max_user_namespaces", &max) && max == 0)
		say(c, BAD,
		    "user namespaces are forbidden (user.max_user_namespaces = 0): raise it, or servers run without isolation (engine process)");
	else
		say(c, BAD,
		    "bubblewrap cannot make a sandbox here (exit code %d): servers would run without isolation (engine process)",
		    code);
}

static void check_cgroups(struct check *c)
{
	if (access("/sys/fs/cgroup/cgroup.controllers", F_OK) == 0)
		say(c, access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0 ? GOOD : NOTE,
		    "cgroup v2%s",
		    access("/sys/fs/cgroup/cgroup.procs", W_OK) == 0
			? ": memory, pids and cpu limits are enforced"
			: ", but not writable for this uid: limits are not enforced");
	else if (access("/sys/fs/cgroup/memory/cgroup.procs", W_OK) == 0)
		say(c, GOOD, "cgroup v1: memory, pids and cpu limits are enforced");
	else
		say(c, NOTE, "no writable cgroups: memory, pids and cpu limits cannot be enforced");
}

static void check_files(struct check *c)
{
	struct rlimit rl = { 0 };

	(void)getrlimit(RLIMIT_NOFILE, &rl);
	if (rl.rlim_max >= 4096)
		say(c, GOOD, "%llu open files a process", (unsigned long long)rl.rlim_max);
	else
		say(c, NOTE,
		    "only %llu open files a process: the proxy holds about half as many users; raise the limit (ulimit -Hn)",
		    (unsigned long long)rl.rlim_max);
}

static void check_memory(struct check *c)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	say(c, bytes >= (4ull << 30) ? GOOD : NOTE, "%.1f GB of memory, %ld cores%s",
	    (double)bytes / (1 << 30), sysconf(_SC_NPROCESSORS_ONLN),
	    bytes >= (4ull << 30) ? "" : ": a server with Spark wants 4 GB");
}

static void check_java(struct check *c)
{
	static const char *const java[] = { "java", "-version", NULL };

	if (run_quiet(java) == 0)
		say(c, GOOD, "java is there: Spark can run");
	else
		say(c, NOTE, "no java: Spark cannot run; apt-get install openjdk-17-jre-headless");
}

static void check_disk(struct check *c)
{
	struct statvfs st;

	if (statvfs("/var", &st) < 0)
		say(c, NOTE, "cannot look at /var");
	else
		say(c, st.f_bavail * st.f_frsize >= (5ull << 30) ? GOOD : NOTE,
		    "%.1f GB free below /var%s", (double)(st.f_bavail * st.f_frsize) / (1 << 30),
		    st.f_bavail * st.f_frsize >= (5ull << 30)
			? ""
			: ": the demo's stacks take about 3 GB");
}

static void check_programs(struct check *c, const char *bin_dir)
{
	static const char *const names[] = { "cygnet-proxy", "cygnet-hub", "cygnet-spawner-sandbox",
		"cygnet-init", "cygnet-agent" };

	for (size_t i = 0; i < CYG_N(names); i++) {
		cyg_autofree char *path = cyg_xasprintf("%s/%s", bin_dir, names[i]);

		if (access(path, X_OK) == 0)
			continue;
		say(c, BAD, "%s is not there: build it with make", path);
		return;
	}
	say(c, GOOD, "all programs are in %s", bin_dir);
}

static enum verdict print_check(const char *name, const struct check *c)
{
	static const char *const words[] = { "ok", "note", "MISSING" };

	(void)printf("%-12s %-8s %s\n", name, words[c->verdict], c->text);
	return c->verdict;
}

int ctl_doctor(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(struct check *c);
	} checks[] = { { "rights", check_rights }, { "sandbox", check_namespaces },
		{ "limits", check_cgroups }, { "files", check_files }, { "memory", check_memory },
		{ "disk", check_disk }, { "java", check_java } };
	struct doctor_options opts = { 0 };
	struct check c = { GOOD, "" };
	struct cyg_err err;
	bool bad = false;
	int first = 0;

	if (cyg_options_read(&program, argc, argv, &opts, &first, &err) < 0) {
		(void)fprintf(stderr, "cygnetctl doctor: %s\n", err.msg);
		cyg_options_free(&program, &opts);
		return 2;
	}
	for (size_t i = 0; i < CYG_N(checks); i++) {
		checks[i].run(&c);
		bad = print_check(checks[i].name, &c) == BAD || bad;
	}
	if (opts.bin_dir != NULL) {
		check_programs(&c, opts.bin_dir);
		bad = print_check("programs", &c) == BAD || bad;
	}
	cyg_options_free(&program, &opts);
	return bad ? 1 : 0;
}
