/*
 * Linux: a seccomp filter, for every thread that there is.
 *
 * A list of what may be done, not of what may not: a call that nobody thought
 * of ends the process, which its supervisor sees and says. The list is what
 * journal, tiles and objects need (files), the loop (its sockets, which are
 * all there or accepted), glibc's memory and locks, and the end. No path
 * that leads to a program, a process, a thread, a new socket, or memory that
 * can be run.
 */
#include "gateway/sandbox.h"

#include <errno.h>
#include <seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>

#include "base/err.h"

static const int files[] = {
	SCMP_SYS(openat), SCMP_SYS(close), SCMP_SYS(read), SCMP_SYS(write),
	SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(readv),
	SCMP_SYS(writev), SCMP_SYS(lseek), SCMP_SYS(fsync),
	SCMP_SYS(fdatasync), SCMP_SYS(ftruncate), SCMP_SYS(renameat),
	SCMP_SYS(renameat2), SCMP_SYS(unlinkat), SCMP_SYS(mkdirat),
	SCMP_SYS(getdents64), SCMP_SYS(fstat), SCMP_SYS(newfstatat),
	SCMP_SYS(statx), SCMP_SYS(faccessat), SCMP_SYS(faccessat2),
	SCMP_SYS(fcntl), SCMP_SYS(dup), SCMP_SYS(flock),
};

static const int talk[] = {
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl),
	SCMP_SYS(accept4), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(recvmsg), SCMP_SYS(sendmsg), SCMP_SYS(shutdown),
	SCMP_SYS(poll), SCMP_SYS(ppoll),
};

static const int runtime[] = {
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep),
	SCMP_SYS(nanosleep), SCMP_SYS(restart_syscall), SCMP_SYS(getrandom),
	SCMP_SYS(getpid), SCMP_SYS(gettid), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn), SCMP_SYS(wait4),
	SCMP_SYS(waitid), SCMP_SYS(exit), SCMP_SYS(exit_group),
	/* Of a thread that was made just before, and begins only now. */
	SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
};

/* Where AddressSanitizer looks about when a thread or the process ends. */
#if defined(__SANITIZE_ADDRESS__)
static const int sanitizer[] = {
	SCMP_SYS(sigaltstack), SCMP_SYS(sched_getaffinity),
	SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(prctl),
	SCMP_SYS(getuid), SCMP_SYS(ioctl),
};
#else
static const int sanitizer[] = {SCMP_SYS(exit_group)};
#endif

static int
allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0) != 0)
			return ERR_IO;
	return 0;
}

/* Memory, but none that is or becomes a program. */
static int
allow_memory(scmp_filter_ctx ctx)
{
	if (seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0 ||
	    seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0)) != 0)
		return ERR_IO;
	return 0;
}

/* Its own helper, which it must be able to end. */
static int
allow_kill(scmp_filter_ctx ctx, pid_t child)
{
	if (child > 0 && seccomp_rule_add(ctx, SCMP_ACT_ALLOW,
	    SCMP_SYS(kill), 2, SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)child, 0),
	    SCMP_A1(SCMP_CMP_EQ, SIGKILL, 0)) != 0)
		return ERR_IO;
	return 0;
}

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

int
sandbox_calls_of_log(pid_t child)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = ERR_IO, e;

	if (ctx == NULL)
		return ERR_MEMORY;
	if (seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS) != 0 ||
	    seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0)
		goto out;
	if (allow(ctx, files, COUNT(files)) != 0 ||
	    allow(ctx, talk, COUNT(talk)) != 0 ||
	    allow(ctx, runtime, COUNT(runtime)) != 0 ||
	    allow(ctx, sanitizer, COUNT(sanitizer)) != 0 ||
	    allow_memory(ctx) != 0 || allow_kill(ctx, child) != 0)
		goto out;
	e = seccomp_load(ctx);
	/* A kernel without it, or one that forbids it in a container. */
	r = e == 0 ? 0 : e == -EINVAL || e == -EOPNOTSUPP || e == -ENOSYS ?
	    ERR_MISSING : ERR_IO;
	errno = -e;
out:
	seccomp_release(ctx);
	return r;
}
