#include "CPlatform.h"

#define SHIFT(crc)                                            \
  (shift[(crc) & 0xFF] ^ shift[256 + ((crc) >> 8 & 0xFF)]     \
   ^ shift[512 + ((crc) >> 16 & 0xFF)] ^ shift[768 + ((crc) >> 24)])

#if defined(__x86_64__)
#include <nmmintrin.h>

int hyperslab_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

#define STEP8(crc, word) _mm_crc32_u64(crc, word)
#define STEP1(crc, byte) _mm_crc32_u8(crc, byte)
__attribute__((target("sse4.2")))
#elif defined(__aarch64__)
#include <arm_acle.h>
#if defined(__linux__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
int hyperslab_has_crc32c(void) { return (getauxval(AT_HWCAP) & HWCAP_CRC32) != 0; }
#else
int hyperslab_has_crc32c(void) { return 1; }
#endif

#define STEP8(crc, word) __crc32cd((uint32_t)(crc), word)
#define STEP1(crc, byte) __crc32cb(crc, byte)
__attribute__((target("crc")))
#else
int hyperslab_has_crc32c(void) { return 0; }

#define STEP8(crc, word) (crc)
#define STEP1(crc, byte) (crc)
#endif
uint32_t hyperslab_crc32c(
    uint32_t crc, const void *bytes, size_t count, const uint32_t *shift) {
  const uint8_t *p = bytes;
  /* The instruction takes three cycles, but another can begin in each: three pieces side by side. */
  while (count >= 3 * HYPERSLAB_CRC32C_PIECE) {
    uint64_t a = crc, b = 0, c = 0;
    const uint8_t *end = p + HYPERSLAB_CRC32C_PIECE;
    for (; p < end; p += 8) {
      uint64_t word;
      __builtin_memcpy(&word, p, 8);
      a = STEP8(a, word);
      __builtin_memcpy(&word, p + HYPERSLAB_CRC32C_PIECE, 8);
      b = STEP8(b, word);
      __builtin_memcpy(&word, p + 2 * HYPERSLAB_CRC32C_PIECE, 8);
      c = STEP8(c, word);
    }
    crc = SHIFT((uint32_t)a) ^ (uint32_t)b;
    crc = SHIFT(crc) ^ (uint32_t)c;
    p += 2 * HYPERSLAB_CRC32C_PIECE;
    count -= 3 * HYPERSLAB_CRC32C_PIECE;
  }
  uint64_t wide = crc;
  while (count >= 8) {
    uint64_t word;
    __builtin_memcpy(&word, p, 8);
    wide = STEP8(wide, word);
    p += 8;
    count -= 8;
  }
  crc = (uint32_t)wide;
  while (count-- > 0) crc = STEP1(crc, *p++);
  return crc;
}
