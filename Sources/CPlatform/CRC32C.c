#include "CPlatform.h"

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
uint32_t hyperslab_crc32c(uint32_t crc, const void *bytes, size_t count) {
  const uint8_t *p = bytes;
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
