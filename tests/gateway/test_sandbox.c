/*
 * Each thing that the log process may not do is tried, in a process of its
 * own that is sandboxed as it is; and each that it must be able to do. The
 * list being long enough is shown by every other test that has a log.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "gateway/sandbox.h"

static char folder[64], inside[96];
static pid_t parent;

static int
make_folders(void **state)
{
	(void)state;
	(void)snprintf(folder, sizeof(folder), "/tmp/sworn-box-XXXXXX");
	parent = getpid();
	if (mkdtemp(folder) == NULL)
		return 1;
	(void)snprintf(inside, sizeof(inside), "%s/log", folder);
	return mkdir(inside, 0700);
}

static int
remove_folders(void **state)
{
	(void)state;
	return rmdir(inside) != 0 || rmdir(folder) != 0;
}

/* The status of a child that does this; its return value is its status. */
static int
child(int (*what)(void))
{
	int status;
	pid_t pid;

	if ((pid = fork()) == 0)
		_exit(what());
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return status;
}

/* ---- calls ---- */

static int
new_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0) < 0;
}

static int
new_pair(void)
{
	int fds[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, fds);
}

static int
reach_out(void)
{
	const struct sockaddr_un un = {.sun_family = AF_UNIX,
	    .sun_path = "/nowhere"};

	return connect(0, (const struct sockaddr *)&un, sizeof(un));
}

static int
listen_there(void)
{
	return listen(0, 1);
}

static int
run_program(void)
{
	char *const argv[] = {(char[]){"true"}, NULL};

	return execv("/bin/true", argv);
}

static int
run_descriptor(void)
{
	return (int)syscall(SYS_execveat, 0, "", NULL, NULL, AT_EMPTY_PATH);
}

static int
make_process(void)
{
	if (fork() == 0)
		_exit(0);
	return 0;
}

static void *
nothing(void *arg)
{
	return arg;
}

static int
make_thread(void)
{
	pthread_t t;

	return pthread_create(&t, NULL, nothing, NULL);
}

static int
kill_another(void)
{
	return kill(parent, 0);
}

static int
look_into_another(void)
{
	return (int)ptrace(PTRACE_ATTACH, parent, NULL, NULL);
}

static int
read_another(void)
{
	return (int)syscall(SYS_process_vm_readv, parent, NULL, 0, NULL, 0, 0);
}

static int
descriptor_of_another(void)
{
	return (int)syscall(SYS_pidfd_open, parent, 0);
}

static int
memory_that_runs(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED;
}

static int
memory_made_to_run(void)
{
	static uint8_t page[8192] __attribute__((aligned(4096)));

	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int
another_user(void)
{
	return (int)syscall(SYS_setuid, 1);
}

static int
another_root(void)
{
	return chroot("/");
}

static int
other_mounts(void)
{
	return (int)syscall(SYS_mount, "none", "/mnt", "tmpfs", 0, NULL);
}

static int
other_names(void)
{
	return (int)syscall(SYS_unshare, 0);
}

static int
rings(void)
{
	return (int)syscall(SYS_io_uring_setup, 1, NULL);
}

static int
kernel_programs(void)
{
	return (int)syscall(SYS_bpf, 0, NULL, 0);
}

static int
keys_of_the_kernel(void)
{
	return (int)syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static int
more_rights(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static int
other_modes(void)
{
	return fchmodat(AT_FDCWD, inside, 0777, 0);
}

static int
links(void)
{
	return symlinkat("/etc/passwd", AT_FDCWD, "x");
}

static int
files_of_handles(void)
{
	return (int)syscall(SYS_open_by_handle_at, 0, NULL, 0);
}

static int (*trying)(void);

static int
try_boxed(void)
{
	if (sandbox_calls_of_log(0) != 0)
		return 2;
	return trying() + 100;		/* it went on, well or not */
}

static void
each_forbidden_call_ends_the_process(void **state)
{
	static const struct {
		const char *name;
		int (*what)(void);
	} calls[] = {
		{"socket", new_socket}, {"socketpair", new_pair},
		{"connect", reach_out}, {"listen", listen_there},
		{"execve", run_program}, {"execveat", run_descriptor},
		{"fork", make_process}, {"a thread", make_thread},
		{"kill", kill_another}, {"ptrace", look_into_another},
		{"process_vm_readv", read_another},
		{"pidfd_open", descriptor_of_another},
		{"mmap to run", memory_that_runs},
		{"mprotect to run", memory_made_to_run},
		{"setuid", another_user}, {"chroot", another_root},
		{"mount", other_mounts}, {"unshare", other_names},
		{"io_uring", rings}, {"bpf", kernel_programs},
		{"keyctl", keys_of_the_kernel}, {"prctl", more_rights},
		{"chmod", other_modes}, {"symlink", links},
		{"open_by_handle_at", files_of_handles},
	};
	size_t i;
	int status;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
#if defined(__SANITIZE_ADDRESS__)
		if (calls[i].what == more_rights)
			continue;	/* the sanitizer needs the call */
#endif
		trying = calls[i].what;
		status = child(try_boxed);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS ||
		    WCOREDUMP(status))
			fail_msg("%s: status %x", calls[i].name,
			    (unsigned)status);
	}
}

/* A thread that was there before is held to it as well. */
static int ready[2], go[2];

static void *
try_late(void *arg)
{
	char c;

	if (write(ready[1], "", 1) == 1 && read(go[0], &c, 1) == 1)
		(void)new_socket();
	return arg;
}

static int
thread_tries(void)
{
	pthread_t t;
	char c;

	if (pipe(ready) != 0 || pipe(go) != 0 ||
	    pthread_create(&t, NULL, try_late, NULL) != 0 ||
	    read(ready[0], &c, 1) != 1 || sandbox_calls_of_log(0) != 0 ||
	    write(go[1], "", 1) != 1)
		return 2;
	(void)pthread_join(t, NULL);
	return 0;
}

static void
threads_that_are_there_are_held_to_it(void **state)
{
	int status;

	(void)state;
	status = child(thread_tries);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int
kill_own(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (;;)
			(void)pause();
	}
	if (sandbox_calls_of_log(pid) != 0)
		return 2;
	if (kill(pid, SIGKILL) != 0 || waitpid(pid, NULL, 0) != pid)
		return 3;
	return kill(pid, SIGTERM) + 100;	/* by another signal: not */
}

static void
its_own_helper_it_may_kill_and_by_nothing_else(void **state)
{
	int status;

	(void)state;
	status = child(kill_own);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}

static int
work(void)
{
	int dir = open(inside, O_RDONLY | O_DIRECTORY), fd;
	char *p;

	if (dir < 0 || sandbox_calls_of_log(0) != 0)
		return 2;
	fd = openat(dir, "a", O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || fdatasync(fd) != 0 ||
	    ftruncate(fd, 0) != 0 || close(fd) != 0 ||
	    renameat(dir, "a", dir, "b") != 0 || fsync(dir) != 0 ||
	    unlinkat(dir, "b", 0) != 0 || mkdirat(dir, "c", 0700) != 0 ||
	    unlinkat(dir, "c", AT_REMOVEDIR) != 0)
		return 3;
	if ((p = malloc((size_t)64 << 20)) == NULL)
		return 4;
	memset(p, 1, (size_t)64 << 20);
	free(p);
	return 0;
}

static void
the_work_of_a_log_goes_on(void **state)
{
	(void)state;
	assert_int_equal(child(work), 0);
}

/* ---- what every process gives up ---- */

static int
enter(void)
{
	const char *const write[] = {inside};
	const struct sandbox box = {.write = write, .n_write = 1};

	return sandbox_enter(&box);
}

static int
dump(void)
{
	const struct rlimit all = {RLIM_INFINITY, RLIM_INFINITY};
	int r = enter();

	if ((r != 0 && r != ERR_MISSING) ||
	    prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0 ||
	    prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return 2;
	(void)setrlimit(RLIMIT_CORE, &all);	/* root may; no matter */
	abort();
}

static void
nothing_is_dumped(void **state)
{
	int status;

	(void)state;
	status = child(dump);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGABRT);
	assert_false(WCOREDUMP(status));
}

static int
go_outside(void)
{
	int r = enter(), fd;

	if (r == ERR_MISSING)
		return 77;
	if (r != 0 || open("/etc/passwd", O_RDONLY) >= 0 || errno != EACCES ||
	    open(folder, O_RDONLY | O_DIRECTORY) >= 0 || errno != EACCES ||
	    access("/proc/self/status", R_OK) != 0)	/* names stay */
		return 2;
	if (open("/proc/self/status", O_RDONLY) >= 0 || errno != EACCES)
		return 3;
	if ((fd = open(inside, O_RDONLY | O_DIRECTORY)) < 0 ||
	    mkdirat(fd, "d", 0700) != 0 || unlinkat(fd, "d", AT_REMOVEDIR))
		return 4;
	return 0;
}

static void
no_file_outside_its_folders_is_opened(void **state)
{
	int status;

	(void)state;
	status = child(go_outside);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		print_message("this kernel has no Landlock: skipped\n");
		skip();
	}
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_forbidden_call_ends_the_process),
		cmocka_unit_test(threads_that_are_there_are_held_to_it),
		cmocka_unit_test(
		    its_own_helper_it_may_kill_and_by_nothing_else),
		cmocka_unit_test(the_work_of_a_log_goes_on),
		cmocka_unit_test(nothing_is_dumped),
		cmocka_unit_test(no_file_outside_its_folders_is_opened),
	};

	return cmocka_run_group_tests_name("sandbox", tests, make_folders,
	    remove_folders);
}
