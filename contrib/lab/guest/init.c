/*
 * The whole user space of a lab guest: pid 1 of a Linux with nothing else.
 *
 * It ticks once a second on the serial console, so that life is visible from outside, and
 * dirties memory at a given rate, so that a migration can be made never to converge.
 *
 * Kernel command line: dirty=N (MiB/s), hot=N (MiB that are dirtied over and over),
 * cold=N (MiB that are filled once and never touched again: a post-copy has something left to fetch).
 * Serial console:      "dirty N" changes the rate, "off" powers the guest off.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { STEP_MS = 50, PAGE = 4096, MIB = 1 << 20 };

static long option(const char *cmdline, const char *name, long fallback) {
  const char *at = strstr(cmdline, name);
  return at ? strtol(at + strlen(name), NULL, 10) : fallback;
}

static unsigned char *filled(size_t bytes) {
  unsigned char *buf = malloc(bytes ? bytes : 1);
  uint64_t x = 88172645463325252u;

  if (!buf) {
    printf("no memory for %zu bytes\n", bytes);
    return NULL;
  }
  /* xorshift: QEMU would send a page of zeros or of one repeated byte as a few bytes */
  for (size_t i = 0; i + 8 <= bytes; i += 8) {
    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    memcpy(buf + i, &x, 8);
  }
  return buf;
}

static long now_ms(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000L + t.tv_nsec / 1000000L;
}

static void command(const char *line, long *rate) {
  if (strncmp(line, "dirty ", 6) == 0) {
    *rate = strtol(line + 6, NULL, 10);
    printf("dirtying %ld MiB/s\n", *rate);
  } else if (strncmp(line, "off", 3) == 0) {
    reboot(RB_POWER_OFF);
  }
}

static void read_commands(int timeout_ms, long *rate) {
  static char line[64];
  static size_t used;
  struct pollfd p = {.fd = 0, .events = POLLIN};
  char c;

  if (poll(&p, 1, timeout_ms) <= 0 || !(p.revents & POLLIN))
    return;
  if (read(0, &c, 1) != 1)
    return;
  if (c == '\n' || c == '\r') {
    line[used] = '\0';
    used = 0;
    command(line, rate);
  } else if (used < sizeof(line) - 1) {
    line[used++] = c;
  }
}

int main(void) {
  static char cmdline[2048];
  long rate, hot_mib, ticks = 0, next_step, next_tick;
  size_t pos = 0, hot_bytes;
  unsigned char *hot;
  FILE *f;
  int fd;

  mkdir("/proc", 0755);
  mkdir("/dev", 0755);
  mount("proc", "/proc", "proc", 0, NULL);
  mount("dev", "/dev", "devtmpfs", 0, NULL);
  fd = open("/dev/ttyS0", O_RDWR);
  if (fd >= 0) {
    dup2(fd, 0);
    dup2(fd, 1);
    dup2(fd, 2);
  }
  setvbuf(stdout, NULL, _IOLBF, 0);
  f = fopen("/proc/cmdline", "r");
  if (f) {
    if (!fgets(cmdline, sizeof(cmdline), f))
      cmdline[0] = '\0';
    fclose(f);
  }
  rate = option(cmdline, "dirty=", 0);
  hot_mib = option(cmdline, "hot=", 8);
  hot_bytes = (size_t)hot_mib * MIB;
  (void)filled((size_t)option(cmdline, "cold=", 8) * MIB);
  hot = filled(hot_bytes);
  printf("guest is up, dirtying %ld MiB/s\n", rate);

  next_step = next_tick = now_ms();
  for (;;) {
    long pages = rate * MIB / PAGE * STEP_MS / 1000;
    long wait;

    for (long i = 0; hot && hot_bytes && i < pages; i++) {
      hot[pos]++;
      pos = (pos + PAGE) % hot_bytes;
    }
    if (now_ms() >= next_tick) {
      printf("tick %ld\n", ++ticks);
      next_tick += 1000;
    }
    next_step += STEP_MS;
    wait = next_step - now_ms();
    if (wait < 0) { /* stopped for a while by a migration: do not make up for it */
      next_step = next_tick = now_ms();
      wait = 0;
    }
    read_commands((int)wait, &rate);
    while ((wait = next_step - now_ms()) > 0)
      read_commands((int)wait, &rate);
  }
}
