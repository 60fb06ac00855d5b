#if defined(__linux__)
#define _GNU_SOURCE
#endif
#include "CPlatform.h"
#include <errno.h>
#include <stdio.h>

#if defined(__linux__)
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>
#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif

int hyperslab_rename_exclusive(const char *from, const char *to) {
  return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE);
}

int hyperslab_rename_exclusive_at(
    int directory, const char *name, int other_directory, const char *other) {
  return (int)syscall(SYS_renameat2, directory, name, other_directory, other, RENAME_NOREPLACE);
}

int hyperslab_exchange(int directory, const char *name, int other_directory, const char *other) {
  return (int)syscall(
      SYS_renameat2, directory, name, other_directory, other, 2 /* RENAME_EXCHANGE */);
}

int hyperslab_open_beneath(int directory, const char *path, int flags, unsigned mode) {
  /* struct open_how, for which older systems have no header. */
  struct {
    uint64_t flags, mode, resolve;
  } how = {(uint64_t)flags, flags & O_CREAT ? mode : 0, 0x04 | 0x08 /* NO_SYMLINKS, BENEATH */};
  return (int)syscall(SYS_openat2, directory, path, &how, sizeof how);
}

/* syncfs tells of contents that could not be written since the descriptor was opened from Linux 5.8 on,
   of a journal that could not from 5.17 on. */
static int reports_failures(void) {
  struct utsname name;
  if (uname(&name) != 0) return 0;
  char *rest;
  long major = strtol(name.release, &rest, 10);
  long minor = *rest == '.' ? strtol(rest + 1, NULL, 10) : 0;
  return major > 5 || (major == 5 && minor >= 17);
}

int hyperslab_can_synchronize_file_system(int descriptor) {
  struct statfs status;
  if (fstatfs(descriptor, &status) != 0 || !reports_failures()) return 0;
  switch ((uint32_t)status.f_type) {
  case 0xEF53:     /* ext4 */
  case 0x58465342: /* XFS */
  case 0x9123683E: /* Btrfs */
  case 0xF2F52010: /* F2FS */
  case 0x01021994: /* tmpfs */
    return 1;
  default: return 0;
  }
}

int hyperslab_synchronize_file_system(int descriptor) { return syncfs(descriptor); }

void hyperslab_begin_writing(int descriptor) {
  (void)sync_file_range(descriptor, 0, 0, SYNC_FILE_RANGE_WRITE);
}

#else
int hyperslab_open_beneath(int directory, const char *path, int flags, unsigned mode) {
  errno = ENOSYS;
  return -1;
}

int hyperslab_can_synchronize_file_system(int descriptor) { return 0; }

int hyperslab_synchronize_file_system(int descriptor) {
  errno = ENOSYS;
  return -1;
}

void hyperslab_begin_writing(int descriptor) {}

#if defined(__APPLE__)
#include <sys/stdio.h>
int hyperslab_rename_exclusive(const char *from, const char *to) {
  return renamex_np(from, to, RENAME_EXCL);
}

int hyperslab_rename_exclusive_at(
    int directory, const char *name, int other_directory, const char *other) {
  return renameatx_np(directory, name, other_directory, other, RENAME_EXCL);
}

int hyperslab_exchange(int directory, const char *name, int other_directory, const char *other) {
  return renameatx_np(directory, name, other_directory, other, RENAME_SWAP);
}
#else
int hyperslab_rename_exclusive(const char *from, const char *to) {
  errno = ENOSYS;
  return -1;
}

int hyperslab_rename_exclusive_at(
    int directory, const char *name, int other_directory, const char *other) {
  errno = ENOSYS;
  return -1;
}

int hyperslab_exchange(int directory, const char *name, int other_directory, const char *other) {
  errno = ENOSYS;
  return -1;
}
#endif
#endif
