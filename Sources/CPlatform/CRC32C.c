#include "CPlatform.h"

#define SHIFT(crc)                                            \
  (shift[(crc) & 0xFF] ^ shift[256 + ((crc) >> 8 & 0xFF)]     \
   ^ shift[512 + ((crc) >> 16 & 0xFF)] ^ shift[768 + ((crc) >> 24)])

#if defined(__x86_64__)
#include <immintrin.h>

int hyperslab_has_crc32c(void) { return __builtin_cpu_supports("sse4.2") != 0; }

int hyperslab_has_crc32c_multiply(void) {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

__attribute__((target("sse4.2,pclmul")))
uint32_t hyperslab_crc32c_multiply(uint32_t a, uint32_t b) {
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi32_si128((int)a), _mm_cvtsi32_si128((int)b), 0);
  /* 63 bits, the highest power first; the instruction takes the upper half modulo the polynomial. */
  uint64_t word = (uint64_t)_mm_cvtsi128_si64(product) << 1;
  return _mm_crc32_u32(0, (uint32_t)word) ^ (uint32_t)(word >> 32);
}

static int folds(void) {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("vpclmulqdq");
}

/* Shortens a message of whole FOLD bytes, and the CRC before it, to a last FOLD bytes that have its CRC:
   each 16 bytes are multiplied by x^(8 FOLD) modulo the polynomial and added to those FOLD further on.
   Source: Gopal et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009. */
#define FOLD 256
__attribute__((target("avx512f,vpclmulqdq")))
static void fold(uint32_t crc, const uint8_t *p, size_t count, uint8_t *last) {
  /* x^(2048 + 31) and x^(2048 - 33) modulo the polynomial, bits reflected: a product of reflected bits
     comes out shifted by 33 in 128, and the lower word's powers are higher by 64. */
  const __m512i by = _mm512_broadcast_i32x4(_mm_set_epi64x(0xB9E02B86, 0xDCB17AA4));
  __m512i v[FOLD / 64];
  for (int k = 0; k < FOLD / 64; k++) v[k] = _mm512_loadu_si512(p + 64 * k);
  v[0] = _mm512_xor_si512(v[0], _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)crc)));
  for (const uint8_t *end = p + count; (p += FOLD) < end;)
    for (int k = 0; k < FOLD / 64; k++) {
      __m512i low = _mm512_clmulepi64_epi128(v[k], by, 0x00);
      __m512i high = _mm512_clmulepi64_epi128(v[k], by, 0x11);
      v[k] = _mm512_xor_si512(_mm512_xor_si512(low, high), _mm512_loadu_si512(p + 64 * k));
    }
  for (int k = 0; k < FOLD / 64; k++) _mm512_storeu_si512(last + 64 * k, v[k]);
}

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
static uint32_t with_instruction(
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

uint32_t hyperslab_crc32c(
    uint32_t crc, const void *bytes, size_t count, const uint32_t *shift) {
#if defined(__x86_64__)
  if (count >= 4 * FOLD && folds()) {
    uint8_t last[FOLD];
    size_t folded = count / FOLD * FOLD;
    fold(crc, bytes, folded, last);
    crc = with_instruction(0, last, FOLD, shift);
    return with_instruction(crc, (const uint8_t *)bytes + folded, count - folded, shift);
  }
#endif
  return with_instruction(crc, bytes, count, shift);
}

#if !defined(__x86_64__)
int hyperslab_has_crc32c_multiply(void) { return 0; }
uint32_t hyperslab_crc32c_multiply(uint32_t a, uint32_t b) { return 0; }
#endif
