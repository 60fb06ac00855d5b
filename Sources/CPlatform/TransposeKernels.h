/* The kernels of Transpose.c for one vector width. The including file defines LANES, the bytes of a
   vector, NAME(x), NARROWER(x) for half as wide, TARGET, and AFFINE where the processor multiplies
   matrices of 8 x 8 bits.

   A group is LANES elements of e bytes: e vectors of elements on one side, a vector of each of e byte
   planes on the other. To split, the even bytes of all vectors are parted from the odd ones, and
   again, as often as e can be halved; to join, the two halves are interleaved as often. */

typedef uint8_t NAME(Bytes) __attribute__((vector_size(LANES)));
typedef uint64_t NAME(Words) __attribute__((vector_size(LANES)));

#define PICK_(a, b, index, n) __builtin_shufflevector(a, b, INDICES_##n(index))
#define PICK(a, b, index, n) PICK_(a, b, index, n)

#define UNROLL _Pragma("clang loop unroll(full)")

#define PART(v, e)                                            \
  do {                                                        \
    NAME(Bytes) parted[e];                                    \
    UNROLL for (int k = 0; k < e / 2; k++) {                  \
      parted[k] = PICK(v[2 * k], v[2 * k + 1], EVEN, LANES);  \
      parted[e / 2 + k] = PICK(v[2 * k], v[2 * k + 1], ODD, LANES); \
    }                                                         \
    UNROLL for (int k = 0; k < e; k++) v[k] = parted[k];      \
  } while (0)

#define INTERLEAVE(v, e)                                      \
  do {                                                        \
    NAME(Bytes) merged[e];                                    \
    UNROLL for (int k = 0; k < e / 2; k++) {                  \
      merged[2 * k] = PICK(v[k], v[e / 2 + k], LOW, LANES);   \
      merged[2 * k + 1] = PICK(v[k], v[e / 2 + k], HIGH, LANES); \
    }                                                         \
    UNROLL for (int k = 0; k < e; k++) v[k] = merged[k];      \
  } while (0)

/* The groups of at least LANES elements. The last is moved back to end with them, so that groups may
   overlap, which does no harm: both write the same. */
#define FOR_GROUPS(at, count)                                 \
  for (size_t next = 0, at = 0; next < count; next += LANES)  \
    if ((at = next + LANES <= count ? next : count - LANES), 1)

#define SPLIT(e)                                              \
  TARGET static void NAME(split##e)(                          \
      const uint8_t *from, uint8_t *to, size_t plane, size_t count) { \
    FOR_GROUPS(at, count) {                                   \
      NAME(Bytes) v[e];                                       \
      UNROLL for (int k = 0; k < e; k++)                      \
        __builtin_memcpy(&v[k], from + at * e + k * LANES, LANES); \
      UNROLL for (int step = 1; step < e; step *= 2) PART(v, e); \
      UNROLL for (int k = 0; k < e; k++)                      \
        __builtin_memcpy(to + k * plane + at, &v[k], LANES);  \
    }                                                         \
  }

#define JOIN(e)                                               \
  TARGET static inline void NAME(joinGroup##e)(               \
      const uint8_t *from, size_t plane, uint8_t *to) {       \
    NAME(Bytes) v[e];                                         \
    UNROLL for (int k = 0; k < e; k++)                        \
      __builtin_memcpy(&v[k], from + k * plane, LANES);       \
    UNROLL for (int step = 1; step < e; step *= 2) INTERLEAVE(v, e); \
    UNROLL for (int k = 0; k < e; k++)                        \
      __builtin_memcpy(to + k * LANES, &v[k], LANES);         \
  }                                                           \
                                                              \
  /* What is left of a row of at least 16 elements. */        \
  TARGET static inline void NAME(joinRest##e)(                \
      const uint8_t *from, size_t plane, uint8_t *to, size_t count, size_t rest) { \
    if (rest <= LANES / 2 && LANES > 16)                      \
      NARROWER(joinRest##e)(from, plane, to, count, rest);    \
    else if (count >= LANES)                                  \
      NAME(joinGroup##e)(from + count - LANES, plane, to + (count - LANES) * e); \
    else {                                                    \
      NARROWER(joinGroup##e)(from, plane, to);                \
      NARROWER(joinRest##e)(from, plane, to, count, rest - LANES / 2); \
    }                                                         \
  }                                                           \
                                                              \
  TARGET static void NAME(join##e)(                           \
      const uint8_t *from, size_t plane, size_t from_stride, uint8_t *to, size_t to_stride, \
      size_t rows, size_t count) {                            \
    for (; rows > 0; rows--, from += from_stride, to += to_stride) { \
      size_t at = 0;                                          \
      for (; at + LANES <= count; at += LANES)                \
        NAME(joinGroup##e)(from + at, plane, to + at * e);    \
      if (at < count) NAME(joinRest##e)(from, plane, to, count, count - at); \
    }                                                         \
  }

SPLIT(2)
SPLIT(4)
SPLIT(8)
SPLIT(16)
JOIN(2)
JOIN(4)
JOIN(8)
JOIN(16)

/* Bit i of byte j becomes bit j of byte i, in every word of eight bytes; with AFFINE, bit i of byte
   7 - j does. */
TARGET static inline NAME(Bytes) NAME(transposeBits)(NAME(Bytes) bytes) {
#if AFFINE
  const NAME(Words) identity = (NAME(Words)){} + 0x8040201008040201;
  return (NAME(Bytes))_mm512_gf2p8affine_epi64_epi8((__m512i)identity, (__m512i)bytes, 0);
#else
  NAME(Words) x = (NAME(Words))bytes;
  NAME(Words) t = (x ^ (x >> 7)) & 0x00AA00AA00AA00AA;
  x ^= t ^ (t << 7);
  t = (x ^ (x >> 14)) & 0x0000CCCC0000CCCC;
  x ^= t ^ (t << 14);
  t = (x ^ (x >> 28)) & 0x00000000F0F0F0F0;
  return (NAME(Bytes))(x ^ t ^ (t << 28));
#endif
}

/* Bit planes: words of eight bytes as elements, their 8 x 8 bits transposed on the way. */

TARGET static void NAME(splitBits)(
    const uint8_t *from, uint8_t *to, size_t plane, size_t count) {
  FOR_GROUPS(at, count) {
    NAME(Bytes) v[8];
    UNROLL for (int k = 0; k < 8; k++) {
      __builtin_memcpy(&v[k], from + at * 8 + k * LANES, LANES);
      if (AFFINE) v[k] = PICK(v[k], v[k], BACKWARDS, LANES);
      v[k] = NAME(transposeBits)(v[k]);
    }
    UNROLL for (int step = 1; step < 8; step *= 2) PART(v, 8);
    UNROLL for (int k = 0; k < 8; k++) __builtin_memcpy(to + k * plane + at, &v[k], LANES);
  }
}

TARGET static void NAME(joinBits)(
    const uint8_t *from, size_t plane, uint8_t *to, size_t count) {
  FOR_GROUPS(at, count) {
    NAME(Bytes) v[8];
    UNROLL for (int k = 0; k < 8; k++)
      __builtin_memcpy(&v[k], from + (AFFINE ? 7 - k : k) * plane + at, LANES);
    UNROLL for (int step = 1; step < 8; step *= 2) INTERLEAVE(v, 8);
    UNROLL for (int k = 0; k < 8; k++) {
      v[k] = NAME(transposeBits)(v[k]);
      __builtin_memcpy(to + at * 8 + k * LANES, &v[k], LANES);
    }
  }
}

#undef LANES
#undef NAME
#undef TARGET
#undef AFFINE
#undef PICK_
#undef PICK
#undef UNROLL
#undef PART
#undef INTERLEAVE
#undef FOR_GROUPS
#undef SPLIT
#undef JOIN
#undef NARROWER
