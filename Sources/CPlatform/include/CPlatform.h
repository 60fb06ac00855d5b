/* What Swift cannot reach by itself: the processor's CRC-32C instruction and renaming without
   replacing. */
#pragma once
#include <stddef.h>
#include <stdint.h>

/* Whether this processor has the CRC-32C instruction. */
int hyperslab_has_crc32c(void);

/* Continues a CRC-32C (no inversion at either end) with the instruction; only where it exists. */
uint32_t hyperslab_crc32c(uint32_t crc, const void *bytes, size_t count);

/* rename(2) that fails with EEXIST instead of replacing; both paths absolute or relative to the
   working directory. Returns 0 or -1 with errno set; ENOSYS or EINVAL where unsupported. */
int hyperslab_rename_exclusive(const char *from, const char *to);
