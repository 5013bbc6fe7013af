/* Makes one call of the system fail, or the process die at it: for programs that must leave no torn file. Loaded before
 * a program by LD_PRELOAD; which calls count: those that write, make, rename, keep or close what is written.
 *
 *   FAULT_AT=N      the N-th of them (from 1)
 *   FAULT_KIND=     fail   it fails with FAULT_ERRNO, the calls after it do not
 *                   full   from it on every call that needs room fails with ENOSPC: a full disk
 *                   short  a write takes half of its bytes, which is no fault
 *                   kill   the process dies before it, as of SIGKILL
 *   FAULT_ERRNO=N   5 (EIO) unless it is given
 *   FAULT_FIRED=F   this file is made when it has come so far
 *   FAULT_COUNT=F   at its end the process writes here how many calls there were
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { kMostFiles = 4096 };

static atomic_long calls = 0;
static atomic_char written[kMostFiles]; /* descriptors that were opened to be written */
static long at = 0;
static int error = EIO;
static char kind = 0;

__attribute__((constructor)) static void read_settings(void) {
  const char* text = getenv("FAULT_AT");
  if (text != NULL) at = atol(text);
  text = getenv("FAULT_KIND");
  if (text != NULL) kind = strcmp(text, "full") == 0 ? 'd' : text[0];
  text = getenv("FAULT_ERRNO");
  if (text != NULL) error = atoi(text);
}

static void note(const char* variable, const char* text) {
  const char* path = getenv(variable);
  if (path == NULL) return;
  const int file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_TRUNC, 0666);
  if (file < 0) return;
  syscall(SYS_write, file, text, strlen(text));
  syscall(SYS_close, file);
}

__attribute__((destructor)) static void write_count(void) {
  char text[32];
  snprintf(text, sizeof text, "%ld\n", atomic_load(&calls));
  note("FAULT_COUNT", text);
}

/* 0: the call is to be made; 'h': half of it; else it is to fail, and errno is set. */
static int fault(int needs_room, int may_be_short) {
  const long mine = atomic_fetch_add(&calls, 1) + 1;
  if (at == 0 || mine < at || (mine > at && !(kind == 'd' && needs_room))) return 0;
  if (mine == at) {
    note("FAULT_FIRED", "fired\n");
    if (kind == 'k') raise(SIGKILL);
  }
  if (kind == 's') return may_be_short ? 'h' : 0;
  if (kind == 'd' && !needs_room) return 0;
  errno = kind == 'd' ? ENOSPC : error;
  return 1;
}

static int is_written(int file) { return file > 2 && file < kMostFiles && atomic_load(&written[file]); }
static void mark(int file, int flags) {
  if (file >= 0 && file < kMostFiles) atomic_store(&written[file], (flags & O_ACCMODE) != O_RDONLY);
}

static size_t shorter(int how, size_t bytes) { return how == 'h' && bytes > 1 ? bytes / 2 : bytes; }

ssize_t write(int file, const void* data, size_t bytes) {
  const int how = is_written(file) ? fault(1, 1) : 0;
  if (how == 1) return -1;
  return (ssize_t)syscall(SYS_write, file, data, shorter(how, bytes));
}

ssize_t pwrite64(int file, const void* data, size_t bytes, off64_t place) {
  const int how = is_written(file) ? fault(1, 1) : 0;
  if (how == 1) return -1;
  return (ssize_t)syscall(SYS_pwrite64, file, data, shorter(how, bytes), place);
}
ssize_t pwrite(int file, const void* data, size_t bytes, off_t place) { return pwrite64(file, data, bytes, place); }

int fsync(int file) { return fault(1, 0) == 1 ? -1 : (int)syscall(SYS_fsync, file); }
int fdatasync(int file) { return fault(1, 0) == 1 ? -1 : (int)syscall(SYS_fdatasync, file); }
int ftruncate64(int file, off64_t bytes) { return fault(1, 0) == 1 ? -1 : (int)syscall(SYS_ftruncate, file, bytes); }
int ftruncate(int file, off_t bytes) { return ftruncate64(file, bytes); }

int rename(const char* from, const char* to) {
  return fault(0, 0) == 1 ? -1 : (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}
int renameat(int from_folder, const char* from, int to_folder, const char* to) {
  return fault(0, 0) == 1 ? -1 : (int)syscall(SYS_renameat2, from_folder, from, to_folder, to, 0);
}

int mkdir(const char* path, mode_t mode) {
  return fault(1, 0) == 1 ? -1 : (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}
int mkdirat(int folder, const char* path, mode_t mode) {
  return fault(1, 0) == 1 ? -1 : (int)syscall(SYS_mkdirat, folder, path, mode);
}

static int open_any(int folder, const char* path, int flags, mode_t mode) {
  if ((flags & O_ACCMODE) != O_RDONLY && fault((flags & O_CREAT) != 0, 0) == 1) return -1;
  const int file = (int)syscall(SYS_openat, folder, path, flags, mode);
  mark(file, flags);
  return file;
}
static mode_t mode_of(int flags, va_list more) {
  return (flags & (O_CREAT | O_TMPFILE)) != 0 ? (mode_t)va_arg(more, unsigned) : 0;
}
#define OPEN(name, extra)                                         \
  int name(const char* path, int flags, ...) {                    \
    va_list more;                                                 \
    va_start(more, flags);                                        \
    const mode_t mode = mode_of(flags, more);                     \
    va_end(more);                                                 \
    return open_any(AT_FDCWD, path, flags | (extra), mode);       \
  }
#define OPENAT(name, extra)                                       \
  int name(int folder, const char* path, int flags, ...) {        \
    va_list more;                                                 \
    va_start(more, flags);                                        \
    const mode_t mode = mode_of(flags, more);                     \
    va_end(more);                                                 \
    return open_any(folder, path, flags | (extra), mode);         \
  }
OPEN(open, 0)
OPEN(open64, O_LARGEFILE)
OPENAT(openat, 0)
OPENAT(openat64, O_LARGEFILE)

int close(int file) {
  const int counts = is_written(file);
  if (file >= 0 && file < kMostFiles) atomic_store(&written[file], 0);
  const int how = counts ? fault(0, 0) : 0;
  const int kept = errno, done = (int)syscall(SYS_close, file); /* it is closed even where closing fails */
  if (how != 1) return done;
  errno = kept;
  return -1;
}

/* The second name of a descriptor, which holds a lock. */
int fcntl(int file, int command, ...) {
  va_list more;
  va_start(more, command);
  void* argument = va_arg(more, void*);
  va_end(more);
  if (command == F_DUPFD_CLOEXEC && is_written(file) && fault(0, 0) == 1) return -1;
  return (int)syscall(SYS_fcntl, file, command, argument);
}
