/*
 * Preloaded into libvirtd: says that the instances' directory is on NFS.
 *
 * All hosts of the lab see one directory, by a bind mount, which libvirt takes for a local file
 * system: it then refuses to migrate ("Migration without shared storage is unsafe"), and Nova has
 * no way to say otherwise.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/vfs.h>

#define NFS_MAGIC 0x6969
#define SHARED "/var/lib/nova/instances"

int statfs(const char *path, struct statfs *buf) {
  int (*real)(const char *, struct statfs *);
  int result;

  *(void **)&real = dlsym(RTLD_NEXT, "statfs");
  result = real(path, buf);
  if (result == 0 && strncmp(path, SHARED, sizeof(SHARED) - 1) == 0)
    buf->f_type = NFS_MAGIC;
  return result;
}

int statfs64(const char *path, struct statfs64 *buf) {
  int (*real)(const char *, struct statfs64 *);
  int result;

  *(void **)&real = dlsym(RTLD_NEXT, "statfs64");
  result = real(path, buf);
  if (result == 0 && strncmp(path, SHARED, sizeof(SHARED) - 1) == 0)
    buf->f_type = NFS_MAGIC;
  return result;
}
