/* Byte and bit transposition in the widest vectors that the processor has; see CPlatform.h. */
#include "CPlatform.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define UPTO_2(f, i, n) f(i, n), f(i + 1, n)
#define UPTO_4(f, i, n) UPTO_2(f, i, n), UPTO_2(f, i + 2, n)
#define UPTO_8(f, i, n) UPTO_4(f, i, n), UPTO_4(f, i + 4, n)
#define UPTO_16(f, i, n) UPTO_8(f, i, n), UPTO_8(f, i + 8, n)
#define UPTO_32(f, i, n) UPTO_16(f, i, n), UPTO_16(f, i + 16, n)
#define INDICES_16(f) UPTO_16(f, 0, 16)
#define INDICES_32(f) UPTO_32(f, 0, 32)
#define INDICES_64(f) UPTO_32(f, 0, 64), UPTO_32(f, 32, 64)

/* Where byte i of a result comes from in two vectors of n bytes: within every lane of 16, and of the lanes of two
   vectors of two. */
#define LANE_LOW(i, n) (i) / 16 * 16 + (i) % 16 / 2 + (i) % 2 * n
#define LANE_HIGH(i, n) (i) / 16 * 16 + 8 + (i) % 16 / 2 + (i) % 2 * n
#define FRONT(i, n) (i) % 16 + (i) / 16 * n
#define BACK(i, n) 16 + (i) % 16 + (i) / 16 * n
/* Which byte of a plane's 64 stands where, so that the lanes of e planes, joined by themselves, lie one behind the
   other in each of e vectors: 16 / e bytes to each lane, and again. */
#define SPREAD(i, e) (i) % 16 / (16 / e) * (64 / e) + (i) / 16 * (16 / e) + (i) % (16 / e)
#define SPREAD_2(i, n) SPREAD(i, 2)
#define SPREAD_4(i, n) SPREAD(i, 4)
#define SPREAD_8(i, n) SPREAD(i, 8)
#define SPREAD_16(i, n) SPREAD(i, 16)
/* The 64 bytes of elements of e bytes as a piece of each of e planes, and every other such piece of two vectors. */
#define SORT(i, e) (i) % (64 / e) * e + (i) / (64 / e)
#define EVEN(i, e) (i) / (64 / e) * (128 / e) + (i) % (64 / e)
#define ODD(i, e) EVEN(i, e) + 64 / e
#define SORT_2(i, n) SORT(i, 2)
#define SORT_4(i, n) SORT(i, 4)
#define SORT_8(i, n) SORT(i, 8)
#define SORT_16(i, n) SORT(i, 16)
#define EVEN_2(i, n) EVEN(i, 2)
#define EVEN_4(i, n) EVEN(i, 4)
#define EVEN_8(i, n) EVEN(i, 8)
#define EVEN_16(i, n) EVEN(i, 16)
#define ODD_2(i, n) ODD(i, 2)
#define ODD_4(i, n) ODD(i, 4)
#define ODD_8(i, n) ODD(i, 8)
#define ODD_16(i, n) ODD(i, 16)
/* The bytes of every word of eight in reverse. */
#define BACKWARDS(i, n) (i) / 8 * 8 + 7 - (i) % 8

#define LANES 16
#define NAME(x) x##_16
#define NARROWER(x) x##_16
#define TARGET __attribute__((target("avx2")))
#define AFFINE 0
#include "TransposeKernels.h"

#define LANES 32
#define NAME(x) x##_32
#define NARROWER(x) x##_16
#define TARGET __attribute__((target("avx2")))
#define AFFINE 0
#include "TransposeKernels.h"

#define LANES 64
#define NAME(x) x##_64
#define NARROWER(x) x##_32
#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi,gfni")))
#define AFFINE 1
#include "TransposeKernels.h"

size_t hyperslab_vector_width(void) {
  if (__builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
      && __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("gfni"))
    return 64;
  return __builtin_cpu_supports("avx2") ? 32 : 0;
}

/* The widest kernel that has a whole group to work on. */
#define CALL(kernel, ...)                                     \
  do {                                                        \
    if (width >= 64 && count >= 64) kernel##_64(__VA_ARGS__); \
    else if (count >= 32) kernel##_32(__VA_ARGS__);           \
    else kernel##_16(__VA_ARGS__);                            \
    return 1;                                                 \
  } while (0)

#define CALL_BY_SIZE(kernel, ...)           \
  switch (e) {                              \
  case 2: CALL(kernel##2, __VA_ARGS__);     \
  case 4: CALL(kernel##4, __VA_ARGS__);     \
  case 8: CALL(kernel##8, __VA_ARGS__);     \
  case 16: CALL(kernel##16, __VA_ARGS__);   \
  default: return 0;                        \
  }

int hyperslab_split(
    size_t width, const void *from, void *to, size_t plane, size_t count, size_t e) {
  if (width < 32 || count < 16) return 0;
  CALL_BY_SIZE(split, from, to, plane, count)
}

int hyperslab_join(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows, size_t e) {
  if (width < 32) return 0;
  size_t count = 0;
  for (size_t k = 0; k < part_count; k++) {
    if (parts[k].count < 16) return 0;
    if (parts[k].count > count) count = parts[k].count;
  }
  CALL_BY_SIZE(join, parts, part_count, rows)
}

int hyperslab_split_bits(
    size_t width, const void *from, void *to, size_t plane, size_t count) {
  if (width < 32 || count < 16) return 0;
  CALL(splitBits, from, to, plane, count);
}

int hyperslab_join_bits(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count) {
  if (width < 32 || count < 16) return 0;
  CALL(joinBits, planes, offset, to, count);
}

int hyperslab_join_bit_pairs(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count) {
  if (width < 64 || count < 64) return 0;
  joinBitPairs_64(planes, offset, to, count);
  return 1;
}

#else
/* Elsewhere Swift's own loops become vector code of the baseline's width. */

size_t hyperslab_vector_width(void) { return 0; }

int hyperslab_split(
    size_t width, const void *from, void *to, size_t plane, size_t count, size_t e) {
  return 0;
}

int hyperslab_join(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows, size_t e) {
  return 0;
}

int hyperslab_split_bits(
    size_t width, const void *from, void *to, size_t plane, size_t count) {
  return 0;
}

int hyperslab_join_bits(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count) {
  return 0;
}

int hyperslab_join_bit_pairs(
    size_t width, const void *const *planes, size_t offset, void *to, size_t count) {
  return 0;
}
#endif
