/*
 * hostinit LAB HOST: makes one lab host and prints the pid of its first process.
 *
 * The host is a set of namespaces (network, mount, UTS, pid). Its pid 1 does nothing but reap:
 * without it a killed QEMU would stay a zombie that libvirt goes on waiting for. When pid 1 is
 * killed the kernel ends every process of the host, so nothing has to be looked up by name.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

static int fail(const char *what) {
  fprintf(stderr, "hostinit: %s: %s\n", what, strerror(errno));
  return 1;
}

static int be_init(const char *name, int ready) {
  sigset_t child;
  int null, sig, failed = 0;

  setsid();
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
      sethostname(name, strlen(name)) != 0)
    failed = errno;
  if (write(ready, &failed, sizeof(failed)) != sizeof(failed) || failed)
    return 1;
  null = open("/dev/null", O_RDWR);
  if (null < 0 || chdir("/") != 0)
    return 1;
  dup2(null, 0);
  dup2(null, 1);
  dup2(null, 2);
  close_range(3, ~0U, 0);
  for (;;) {
    while (waitpid(-1, NULL, WNOHANG) > 0)
      ;
    sigwait(&child, &sig);
  }
}

int main(int argc, char **argv) {
  int ready[2], failed = EIO;
  pid_t pid;

  if (argc != 3) {
    fprintf(stderr, "usage: hostinit LAB HOST\n");
    return 1;
  }
  if (pipe(ready) != 0)
    return fail("pipe");
  if (unshare(CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWPID) != 0)
    return fail("unshare");
  pid = fork();
  if (pid < 0)
    return fail("fork");
  if (pid == 0) {
    close(ready[0]);
    return be_init(argv[2], ready[1]);
  }
  close(ready[1]);
  if (read(ready[0], &failed, sizeof(failed)) != sizeof(failed) || failed) {
    errno = failed;
    return fail("new host");
  }
  printf("%ld\n", (long)pid);
  return 0;
}
