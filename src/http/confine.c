/*-------------------------------------------------------------------------
 *
 * confine.c
 *	  What the program may not do once it has begun.
 *
 * Landlock takes the file system away, seccomp all system calls that are not
 * on the list: those answer EPERM, which libraries live with when they probe
 * for something.  Memory cannot become executable.  Sockets may still be
 * made, since a reload may bring new ports.
 *
 * The filter is a list and three checks, so it is written here; libseccomp
 * would be one more library in a process that should have few.
 *
 *-------------------------------------------------------------------------
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "http/confine.h"
#include "http/log.h"

#if defined(__x86_64__)
#define OUR_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define OUR_ARCH AUDIT_ARCH_AARCH64
#endif

static void
close_others(int first_fd)
{
#ifdef SYS_close_range
	if (syscall(SYS_close_range, first_fd, ~0U, 0) == 0)
		return;
#endif
	for (int fd = first_fd; fd < (int) sysconf(_SC_OPEN_MAX); fd++)
		close(fd);
}

/*
 * Nothing comes in and nothing goes out there; a standard error that is open
 * stays, for tests.  A closed one would become some client's socket.
 */
static void
settle_standard(void)
{
	int			null = open("/dev/null", O_RDWR);

	/* fills the places that are free */
	while (null >= 0 && null <= STDERR_FILENO)
		null = dup(null);
	if (null < 0)
		return;
	dup2(null, STDIN_FILENO);
	dup2(null, STDOUT_FILENO);
	close(null);
}

/* The gateway's process ignores some signals and blocks others. */
static void
reset_signals(void)
{
	sigset_t	none;

	for (int number = 1; number < NSIG; number++)
	{
		if (number != SIGKILL && number != SIGSTOP)
			signal(number, SIG_DFL);
	}
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

void
intake_confine_begin(int first_fd)
{
	struct rlimit files;

	setsid();
	settle_standard();
	reset_signals();
	close_others(first_fd);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
	{
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
}

/* No rule is added: everything is denied. */
static void
deny_files(void)
{
#ifdef SYS_landlock_create_ruleset
	struct landlock_ruleset_attr attributes;
	int			fd;

	memset(&attributes, 0, sizeof(attributes));
	/* all rights that version 1 knows; later ones follow from these */
	attributes.handled_access_fs = (LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1;
	fd = (int) syscall(SYS_landlock_create_ruleset, &attributes,
					   sizeof(attributes.handled_access_fs), 0);
	if (fd < 0)
		return;
	if (syscall(SYS_landlock_restrict_self, fd, 0) != 0)
		intake_log(LOG_LEVEL_DEBUG, strerror(errno),
				   "could not be confined by landlock");
	close(fd);
#endif
}

#ifdef OUR_ARCH

#define FIELD(name) ((unsigned) offsetof(struct seccomp_data, name))
#define LOAD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, FIELD(name))
#define RETURN(value) BPF_STMT(BPF_RET | BPF_K, (value))
#define DENY RETURN(SECCOMP_RET_ERRNO | EPERM)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)

/* Is it this call?  Then the next one statement, else go on behind it. */
#define ALLOW_CALL(name) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##name, 0, 1), ALLOW

static struct sock_filter filter_code[] = {
	LOAD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, OUR_ARCH, 1, 0),
	DENY,
	LOAD(nr),
	/* what is called often stands first */
	ALLOW_CALL(read),
	ALLOW_CALL(write),
	ALLOW_CALL(readv),
	ALLOW_CALL(writev),
	ALLOW_CALL(recvfrom),
	ALLOW_CALL(sendto),
	ALLOW_CALL(recvmsg),
	ALLOW_CALL(sendmsg),
	ALLOW_CALL(epoll_pwait),
	ALLOW_CALL(epoll_ctl),
#ifdef SYS_epoll_wait
	ALLOW_CALL(epoll_wait),
#endif
#ifdef SYS_epoll_pwait2
	ALLOW_CALL(epoll_pwait2),
#endif
	ALLOW_CALL(clock_gettime),
	ALLOW_CALL(gettimeofday),
#ifdef SYS_time
	ALLOW_CALL(time),
#endif
	ALLOW_CALL(accept4),
	ALLOW_CALL(close),
	ALLOW_CALL(shutdown),
	ALLOW_CALL(getsockopt),
	ALLOW_CALL(setsockopt),
	ALLOW_CALL(getsockname),
	ALLOW_CALL(getpeername),
	ALLOW_CALL(bind),
	ALLOW_CALL(listen),
	ALLOW_CALL(fcntl),
	ALLOW_CALL(ioctl),
	ALLOW_CALL(brk),
	ALLOW_CALL(munmap),
	ALLOW_CALL(mremap),
	ALLOW_CALL(madvise),
	ALLOW_CALL(futex),
	ALLOW_CALL(getrandom),
	ALLOW_CALL(getpid),
	ALLOW_CALL(gettid),
	ALLOW_CALL(tgkill),
	ALLOW_CALL(rt_sigaction),
	ALLOW_CALL(rt_sigprocmask),
	ALLOW_CALL(rt_sigreturn),
	ALLOW_CALL(clock_nanosleep),
	ALLOW_CALL(restart_syscall),
	ALLOW_CALL(exit),
	ALLOW_CALL(exit_group),
	/* socket: of the Internet only */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 5),
	LOAD(args[0]),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 2, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 1, 0),
	DENY,
	ALLOW,
	/* mmap, mprotect: nothing that can be executed */
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 1, 0),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mprotect, 0, 3),
	LOAD(args[2]),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 1, 0),
	ALLOW,
	DENY
};

static void
deny_calls(void)
{
	struct sock_fprog program = {
		sizeof(filter_code) / sizeof(filter_code[0]), filter_code
	};

	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
		intake_log(LOG_LEVEL_DEBUG, strerror(errno),
				   "could not be confined by seccomp");
}

#else

static void
deny_calls(void)
{
}

#endif

void
intake_confine(void)
{
	/* what the C library would read from a file later */
	tzset();
	prctl(PR_SET_DUMPABLE, 0);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
	{
		intake_log(LOG_LEVEL_WARNING, strerror(errno),
				   "could not give up new privileges");
		return;
	}
	deny_files();
	deny_calls();
}
