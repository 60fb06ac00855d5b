/* What Swift cannot reach by itself: the processor's CRC-32C and prefetch instructions, vectors wider
   than the baseline's, and system calls that its libraries do not import. */
#pragma once
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Whether this processor has the CRC-32C instruction. */
int hyperslab_has_crc32c(void);

/* Pieces of so many bytes are summed side by side. */
#define HYPERSLAB_CRC32C_PIECE 1024

/* Continues a CRC-32C (no inversion at either end) with the instruction; only where it exists. `shift`
   has four tables of 256: what a piece of zeros makes of each byte of a CRC, the lowest first. */
uint32_t hyperslab_crc32c(
    uint32_t crc, const void *bytes, size_t count, const uint32_t *shift);

/* Whether the function below can be called. */
int hyperslab_has_crc32c_multiply(void);

/* The product of two polynomials of degree below 32 modulo that of CRC-32C, bits reflected. */
uint32_t hyperslab_crc32c_multiply(uint32_t a, uint32_t b);

/* openat(2) of a path below a directory that follows no link on the way, in one call (openat2(2)).
   Returns -1 with errno set; ENOSYS where the system has no such call. */
int hyperslab_open_beneath(int directory, const char *path, int flags, unsigned mode);

/* Whether the whole file system there can be made permanent in one call that tells of failed writes:
   on local disks of Linux 5.17 and later. */
int hyperslab_can_synchronize_file_system(int descriptor);

/* Makes everything on the file system of a descriptor permanent (syncfs(2)). Returns 0 or -1 with errno
   set, also for writes that failed since the descriptor was opened; ENOSYS elsewhere. */
int hyperslab_synchronize_file_system(int descriptor);

/* Begins to write a file's contents to the disk without waiting; a wish that may do nothing. */
void hyperslab_begin_writing(int descriptor);

/* Where a process may use only so much address space (RLIMIT_AS), lets all its threads share one arena
   of malloc: one each would take most of it for nothing. Before the first other thread. */
void hyperslab_spare_address_space(void);

/* The arguments that this process was started with, its name first, wherever /proc is; NULL where the
   system's library does not hand them over. */
char *const *hyperslab_arguments(int *count);

/* rename(2) that fails with EEXIST instead of replacing; both paths absolute or relative to the
   working directory. Returns 0 or -1 with errno set; ENOSYS or EINVAL where unsupported. */
int hyperslab_rename_exclusive(const char *from, const char *to);

/* The same with each path relative to a directory. */
int hyperslab_rename_exclusive_at(
    int directory, const char *name, int other_directory, const char *other);

/* Lets two names change places in one step (renameat2(2) with RENAME_EXCHANGE, renameatx_np(2) with
   RENAME_SWAP), each relative to a directory. Returns 0 or -1 with errno set; ENOSYS or EINVAL where
   the system or the file system cannot. */
int hyperslab_exchange(int directory, const char *name, int other_directory, const char *other);

/* The widest vectors of this processor that the functions below know, in bytes: 64 (AVX-512 with VBMI
   and GFNI), 32 (AVX2), or 0. They take a width of at most that, and return 0, having done nothing,
   where they have no kernel for it or less than 16 of what they count. */
size_t hyperslab_vector_width(void);

/* Splits `count` elements of `e` bytes (2, 4, 8 or 16) into e byte planes, plane j at to + j * plane. */
int hyperslab_split(
    size_t width, const void *from, void *to, size_t plane, size_t count, size_t e);

/* Rows of `count` elements, or of so many bytes of each of several byte planes, `plane` bytes from one
   plane to the next; the strides are from one row to the next. */
typedef struct {
  const uint8_t *from;
  size_t plane;
  size_t from_stride;
  uint8_t *to;
  size_t to_stride;
  size_t count;
} hyperslab_rows;

/* Joins e byte planes into elements of e bytes: the first row of each part, then the second of each, as
   many as `rows`. */
int hyperslab_join(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows, size_t e);

/* Splits 8 * `count` bytes into 8 bit planes of `count` bytes, plane b at to + b * plane: bit i of its
   byte k is bit b of byte 8 * k + i. */
int hyperslab_split_bits(
    size_t width, const void *from, void *to, size_t plane, size_t count);

/* Joins 8 bit planes, `count` bytes of each from `offset` on, into 8 * `count` bytes. */
int hyperslab_join_bits(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count);

/* Joins 16 bit planes, `count` bytes of each from `offset` on, into 8 * `count` elements of two bytes; only for
   a width and a count of 64 at least. */
int hyperslab_join_bit_pairs(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count);

/* Copies bytes past the cache in whole lines, so that nobody reads the lines before; what is left at both
   ends is copied as usual. Others see the bytes after hyperslab_end_streaming(). */
static inline void hyperslab_stream(const void *from, void *to, size_t count) {
  typedef uint8_t vector __attribute__((vector_size(16)));
  const uint8_t *source = (const uint8_t *)from;
  uint8_t *target = (uint8_t *)to;
  size_t head = -(uintptr_t)target % 64;
  if (head > count) head = count;
  memcpy(target, source, head);
  size_t end = head + (count - head) / 64 * 64;
  for (size_t offset = head; offset < end; offset += 64)
    for (size_t part = offset; part < offset + 64; part += 16) {
      vector bytes;
      memcpy(&bytes, source + part, 16);
      __builtin_nontemporal_store(bytes, (vector *)(target + part));
    }
  memcpy(target + end, source + end, count - end);
}

/* Copies rows of bytes of parts, which leave no gap between them in memory, past the cache in whole lines,
   put together in registers, and returns how many of the first rows it did. None below a width of 64, and
   where that does not pay or fit: rows must be a multiple or a part of two lines, of 4 KiB at most, the first
   must begin with a line, those of all parts be as far apart, and a line have pieces of six at most. Others
   see the bytes after hyperslab_end_streaming(). */
size_t hyperslab_stream_rows(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows);

static inline void hyperslab_end_streaming(void) { atomic_thread_fence(memory_order_seq_cst); }

/* Has memory brought into the cache that is about to be read; it need not be the process's own. */
static inline void hyperslab_prefetch(const void *memory, size_t count) {
  for (size_t offset = 0; offset < count; offset += 64)
    __builtin_prefetch((const char *)memory + offset);
}

/* Lets the allocator give every piece of a megabyte or more back to the system as soon as it is freed,
   where it would keep some for later; elsewhere it does so anyway, or has no such switch. */
void hyperslab_return_large_memory(void);
