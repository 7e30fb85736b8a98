/*-------------------------------------------------------------------------
 *
 * program.c
 *	  The HTTP program, as the gateway's child.
 *
 * The postmaster signals process groups, and a worker hands down ignored
 * signals and open descriptors: so the child begins a session of its own,
 * with signals as they are by default and no descriptor but the two.  It ends
 * when its control socket does, and so with the gateway, however that ends.
 *
 *-------------------------------------------------------------------------
 */
#include "postgres.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "utils/timestamp.h"

#include "worker/program.h"

#define PROGRAM_NAME "pg_intake_http"

#define CONTROL_DESCRIPTOR	3
#define LISTENER_DESCRIPTOR 4

#define MIN_DELAY 100			/* ms */
#define MAX_DELAY 10000

/* The program lies beside this library. */
static char *
program_path(void)
{
	Dl_info		info;
	char	   *path;

	if (dladdr((void *) intake_program_start, &info) == 0)
		elog(ERROR, "could not find the path of pg_intake");
	path = pstrdup(info.dli_fname);
	get_parent_directory(path);
	return psprintf("%s/%s", path, PROGRAM_NAME);
}

/* Closes all descriptors from the first one on; in the child. */
static void
close_descriptors(int first)
{
	struct rlimit limit;
	int			i;

#ifdef SYS_close_range
	if (syscall(SYS_close_range, first, ~0U, 0) == 0)
		return;
#endif
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	for (i = first; i < (int) limit.rlim_cur; i++)
		close(i);
}

/* In the child: only calls that are safe between fork and exec. */
static void
become_program(const char *path, int control, int listener)
{
	char	   *arguments[] = {PROGRAM_NAME, NULL};
	char	   *environment[] = {NULL};
	sigset_t	none;
	int			null;
	int			i;

	setsid();
	for (i = 1; i < NSIG; i++)
		signal(i, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);

	control = fcntl(control, F_DUPFD, LISTENER_DESCRIPTOR + 1);
	listener = fcntl(listener, F_DUPFD, LISTENER_DESCRIPTOR + 1);
	null = open("/dev/null", O_RDWR);
	if (control < 0 || listener < 0 || null < 0)
		_exit(126);
	for (i = 0; i < CONTROL_DESCRIPTOR; i++)
		dup2(null, i);
	dup2(control, CONTROL_DESCRIPTOR);
	dup2(listener, LISTENER_DESCRIPTOR);
	close_descriptors(LISTENER_DESCRIPTOR + 1);
	execve(path, arguments, environment);
	_exit(127);
}

/* The next start waits, longer each time. */
static void
put_off(IntakeProgram *program)
{
	program->delay = Max(program->delay, MIN_DELAY);
	program->next_start =
		TimestampTzPlusMilliseconds(GetCurrentTimestamp(), program->delay);
	program->delay = Min(2 * program->delay, MAX_DELAY);
}

bool
intake_program_start(IntakeProgram *program, pgsocket listener)
{
	char	   *path = program_path();
	int			ends[2];
	pid_t		pid;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
	{
		ereport(LOG,
				(errcode_for_socket_access(),
				 errmsg("could not create a socket pair: %m")));
		pfree(path);
		put_off(program);
		return false;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become_program(path, ends[1], listener);
	close(ends[1]);
	if (pid < 0)
	{
		ereport(LOG,
				(errmsg("could not start \"%s\": %m", path)));
		close(ends[0]);
		pfree(path);
		put_off(program);
		return false;
	}
	pfree(path);
	program->pid = pid;
	program->link = intake_link_make(ends[0]);
	return true;
}

/* Takes leave of a program that has ended, with a message in the log. */
static void
bury(IntakeProgram *program, int status, bool is_expected)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		ereport(LOG,
				(errmsg("could not execute \"%s\"", PROGRAM_NAME),
				 errhint("It is installed beside the library of pg_intake.")));
	else if (!is_expected)
		ereport(LOG,
				(errmsg("\"%s\" (PID %d) has ended: %s", PROGRAM_NAME,
						(int) program->pid, wait_result_to_str(status))));
	intake_link_close(program->link);
	program->link = NULL;
	program->pid = 0;
	put_off(program);
}

/* One that is dead already keeps the status that it died with. */
void
intake_program_end(IntakeProgram *program, bool is_expected)
{
	int			status = 0;

	if (program->pid == 0)
		return;
	(void) kill(program->pid, SIGKILL);
	while (waitpid(program->pid, &status, 0) < 0 && errno == EINTR)
		;
	bury(program, status, is_expected);
}

void
intake_program_settle(IntakeProgram *program)
{
	program->delay = MIN_DELAY;
}
