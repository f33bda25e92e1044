/* The system calls that a container may not make, each with its reason; all others are allowed. It
 * is a list of refusals because a container runs whatever its user installs. Refused is what no
 * notebook needs and what has been used to break out of containers. The filter is a second barrier:
 * capabilities are dropped and namespaces made before it is set. */
#include "spawner/sandbox/seccomp.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

struct refusal {
	int call;
	const char *why;
};

static const struct refusal refusals[] = {
	/* A new user namespace gives back capabilities, and with them most of the kernel's code. */
	{ SCMP_SYS(unshare), "namespaces" },
	{ SCMP_SYS(setns), "namespaces" },
	{ SCMP_SYS(mount), "mounts are the spawner's" },
	{ SCMP_SYS(umount), "mounts" },
	{ SCMP_SYS(umount2), "mounts: what was mounted over something would show it again" },
	{ SCMP_SYS(pivot_root), "mounts" },
	{ SCMP_SYS(chroot), "mounts" },
	{ SCMP_SYS(open_tree), "mounts, new interface" },
	{ SCMP_SYS(move_mount), "mounts, new interface" },
	{ SCMP_SYS(mount_setattr), "mounts, new interface" },
	{ SCMP_SYS(fsopen), "mounts, new interface" },
	{ SCMP_SYS(fsconfig), "mounts, new interface" },
	{ SCMP_SYS(fsmount), "mounts, new interface" },
	{ SCMP_SYS(fspick), "mounts, new interface" },
	/* Large interfaces with a long record of kernel bugs reachable without rights. */
	{ SCMP_SYS(bpf), "kernel bugs" },
	{ SCMP_SYS(userfaultfd), "makes races in the kernel winnable" },
	{ SCMP_SYS(perf_event_open), "kernel bugs, and side channels to other users" },
	{ SCMP_SYS(io_uring_setup), "kernel bugs; its operations pass this filter by" },
	{ SCMP_SYS(io_uring_enter), "as io_uring_setup" },
	{ SCMP_SYS(io_uring_register), "as io_uring_setup" },
	/* Keyrings are not in a namespace of ours: keys of one uid are shared by its containers. */
	{ SCMP_SYS(add_key), "keyrings are shared between containers" },
	{ SCMP_SYS(request_key), "keyrings" },
	{ SCMP_SYS(keyctl), "keyrings" },
	/* These change the machine. They need capabilities that a container does not have either.
	 */
	{ SCMP_SYS(kexec_load), "the machine" },
	{ SCMP_SYS(kexec_file_load), "the machine" },
	{ SCMP_SYS(init_module), "the machine" },
	{ SCMP_SYS(finit_module), "the machine" },
	{ SCMP_SYS(delete_module), "the machine" },
	{ SCMP_SYS(reboot), "the machine" },
	{ SCMP_SYS(swapon), "the machine" },
	{ SCMP_SYS(swapoff), "the machine" },
	{ SCMP_SYS(acct), "the machine" },
	{ SCMP_SYS(settimeofday), "the clock" },
	{ SCMP_SYS(clock_settime), "the clock" },
	{ SCMP_SYS(clock_adjtime), "the clock" },
	{ SCMP_SYS(adjtimex), "the clock" },
	{ SCMP_SYS(iopl), "ports" },
	{ SCMP_SYS(ioperm), "ports" },
	{ SCMP_SYS(quotactl), "disk quotas" },
	{ SCMP_SYS(quotactl_fd), "disk quotas" },
	{ SCMP_SYS(nfsservctl), "gone from the kernel, kept off" },
	{ SCMP_SYS(syslog), "kernel addresses and other users' messages" },
	{ SCMP_SYS(vhangup), "terminals" },
	{ SCMP_SYS(lookup_dcookie), "kernel addresses" },
	{ SCMP_SYS(kcmp), "kernel addresses by comparison" },
	/* File handles reach past the mounts that hide a path. */
	{ SCMP_SYS(open_by_handle_at), "opens files outside of any mount" },
	{ SCMP_SYS(name_to_handle_at), "the other half" },
};

/* Socket families beyond these four are rarely used code of the kernel. */
static const int families_allowed[] = { AF_UNIX, AF_INET, AF_INET6, AF_NETLINK };

static int refuse(scmp_filter_ctx ctx, int errnum, int call, unsigned n, struct scmp_arg_cmp cmp)
{
	int r = n == 0 ? seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)errnum), call, 0)
		       : seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)errnum), call, 1, cmp);

	/* A call this machine's architecture never had needs no rule. */
	return r == -EDOM || r == -EFAULT ? 0 : r;
}

static struct scmp_arg_cmp flag_set(unsigned arg, uint64_t flag)
{
	return (struct scmp_arg_cmp){
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = flag, .datum_b = flag
	};
}

/* The kernel looks at 32 bits of an ioctl's number; a comparison of 64 could be passed by. */
static struct scmp_arg_cmp low_word(unsigned arg, uint64_t value)
{
	return (struct scmp_arg_cmp){
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = UINT32_MAX, .datum_b = value
	};
}

static struct scmp_arg_cmp is_equal(unsigned arg, uint64_t value)
{
	return (struct scmp_arg_cmp){ .arg = arg, .op = SCMP_CMP_EQ, .datum_a = value };
}

/* call is socket or socketpair: either makes a socket of that family, or loads its module. */
static int add_families(scmp_filter_ctx ctx, int call)
{
	int r = 0, max = 0;

	for (size_t i = 0; i < CYG_N(families_allowed); i++)
		max = families_allowed[i] > max ? families_allowed[i] : max;
	for (int family = 0; r == 0 && family <= max; family++) {
		bool allowed = false;

		for (size_t i = 0; i < CYG_N(families_allowed); i++)
			allowed = allowed || families_allowed[i] == family;
		if (!allowed)
			r = refuse(ctx, EAFNOSUPPORT, call, 1, is_equal(0, (uint64_t)family));
	}
	if (r == 0)
		r = refuse(ctx, EAFNOSUPPORT, call, 1,
		    (struct scmp_arg_cmp){ .arg = 0, .op = SCMP_CMP_GT, .datum_a = (uint64_t)max });
	return r;
}

static int add_rules(scmp_filter_ctx ctx)
{
	static const uint64_t new_namespaces[] = { CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID,
		CLONE_NEWNET, CLONE_NEWIPC, CLONE_NEWUTS, CLONE_NEWCGROUP };
	const struct scmp_arg_cmp none = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < CYG_N(refusals); i++)
		r = refuse(ctx, EPERM, refusals[i].call, 0, none);
	for (size_t i = 0; r == 0 && i < CYG_N(new_namespaces); i++)
		r = refuse(ctx, EPERM, SCMP_SYS(clone), 1, flag_set(0, new_namespaces[i]));
	/* clone3's flags are behind a pointer; ENOSYS makes libraries fall back to clone. */
	if (r == 0)
		r = refuse(ctx, ENOSYS, SCMP_SYS(clone3), 0, none);
	/* These put characters into the terminal as if its user had typed them. */
	if (r == 0)
		r = refuse(ctx, EPERM, SCMP_SYS(ioctl), 1, low_word(1, TIOCSTI));
	if (r == 0)
		r = refuse(ctx, EPERM, SCMP_SYS(ioctl), 1, low_word(1, TIOCLINUX));
	if (r == 0)
		r = add_families(ctx, SCMP_SYS(socket));
	return r == 0 ? add_families(ctx, SCMP_SYS(socketpair)) : r;
}

int seccomp_memfd(struct cyg_err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	cyg_autoclose int fd = memfd_create("seccomp", MFD_CLOEXEC);
	int r = ctx == NULL || fd < 0 ? -ENOMEM : add_rules(ctx);

	if (r == 0)
		r = seccomp_export_bpf(ctx, fd);
	seccomp_release(ctx);
	if (r != 0)
		return cyg_fail_sys(err, -r, "build the system call filter");
	if (lseek(fd, 0, SEEK_SET) < 0)
		return cyg_fail_sys(err, errno, "system call filter");
	return CYG_TAKE_FD(fd);
}
