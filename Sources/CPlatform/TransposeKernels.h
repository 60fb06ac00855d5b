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

#define INTERLEAVE(v, e, low, high)                           \
  do {                                                        \
    NAME(Bytes) merged[e];                                    \
    UNROLL for (int k = 0; k < e / 2; k++) {                  \
      merged[2 * k] = PICK(v[k], v[e / 2 + k], low, LANES);   \
      merged[2 * k + 1] = PICK(v[k], v[e / 2 + k], high, LANES); \
    }                                                         \
    UNROLL for (int k = 0; k < e; k++) v[k] = merged[k];      \
  } while (0)

#define PART(v, e, even, odd)                                 \
  do {                                                        \
    NAME(Bytes) parted[e];                                    \
    UNROLL for (int k = 0; k < e / 2; k++) {                  \
      parted[k] = PICK(v[2 * k], v[2 * k + 1], even, LANES);  \
      parted[e / 2 + k] = PICK(v[2 * k], v[2 * k + 1], odd, LANES); \
    }                                                         \
    UNROLL for (int k = 0; k < e; k++) v[k] = parted[k];      \
  } while (0)

#define JOIN_LANES(v, e)                                      \
  UNROLL for (int step = 1; step < e; step *= 2) INTERLEAVE(v, e, LANE_LOW, LANE_HIGH)

#if LANES > 32
/* Here bytes move between lanes of 16, too, but to pick them from two vectors takes twice as long as from one, or
   as to pick words or to interleave lanes. So planes are joined within lanes, to which bytes were spread so that
   the lanes of a vector lie one behind the other, and split by pieces, to which the bytes of each vector were
   sorted. */
#define SPREAD_PLANES(v, n, e) \
  UNROLL for (int k = 0; k < n; k++) v[k] = PICK(v[k], v[k], SPREAD_##e, LANES)
#define SPLIT_PLANES(v, e)                                    \
  do {                                                        \
    UNROLL for (int k = 0; k < e; k++) v[k] = PICK(v[k], v[k], SORT_##e, LANES); \
    UNROLL for (int step = 1; step < e; step *= 2) PART(v, e, EVEN_##e, ODD_##e); \
  } while (0)
#define JOIN_PLANES(v, e)                                     \
  do {                                                        \
    SPREAD_PLANES(v, e, e);                                   \
    JOIN_LANES(v, e);                                         \
  } while (0)
#else
/* AVX2 moves bytes within lanes of 16 only, so the lanes are transposed by themselves, first halves in
   all vectors' first lanes. To part a lane of e vectors as often as e can be halved is to interleave it
   four times: 16 e bytes interleaved as often as that can be halved are as they were. */
#define SPLIT_PLANES(v, e)                                    \
  do {                                                        \
    if (LANES > 16) INTERLEAVE(v, e, FRONT, BACK);            \
    UNROLL for (int step = 0; step < 4; step++) INTERLEAVE(v, e, LANE_LOW, LANE_HIGH); \
  } while (0)
#define JOIN_PLANES(v, e)                                     \
  do {                                                        \
    JOIN_LANES(v, e);                                         \
    if (LANES > 16) PART(v, e, FRONT, BACK);                  \
  } while (0)
#endif

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
      SPLIT_PLANES(v, e);                                     \
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
    JOIN_PLANES(v, e);                                        \
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
      const hyperslab_rows *parts, size_t part_count, size_t rows) { \
    for (size_t row = 0; row < rows; row++)                   \
      for (const hyperslab_rows *part = parts; part < parts + part_count; part++) { \
        const uint8_t *from = part->from + row * part->from_stride; \
        uint8_t *to = part->to + row * part->to_stride;       \
        size_t plane = part->plane, count = part->count, at = 0; \
        for (; at + LANES <= count; at += LANES)              \
          NAME(joinGroup##e)(from + at, plane, to + at * e); \
        if (at < count) NAME(joinRest##e)(from, plane, to, count, count - at); \
      }                                                       \
  }

SPLIT(2)
SPLIT(4)
SPLIT(8)
SPLIT(16)
JOIN(2)
JOIN(4)
JOIN(8)
JOIN(16)

#if AFFINE
/* Bit i of byte 7 - j becomes bit j of byte i, in every word of eight bytes. */
TARGET static inline NAME(Bytes) NAME(transposeBits)(NAME(Bytes) bytes) {
  const NAME(Words) identity = (NAME(Words)){} + 0x8040201008040201;
  return (NAME(Bytes))_mm512_gf2p8affine_epi64_epi8((__m512i)identity, (__m512i)bytes, 0);
}
#else
#define EXCHANGE(low, high, shift, mask)                      \
  do {                                                        \
    NAME(Words) t = ((low >> shift) ^ high) & ((NAME(Words)){} + mask); \
    high ^= t;                                                \
    low ^= t << shift;                                        \
  } while (0)

/* Bit i of every byte of v[j] becomes bit j of that byte of v[i]. */
TARGET static inline void NAME(exchangeBits)(NAME(Bytes) *v) {
  NAME(Words) w[8];
  UNROLL for (int k = 0; k < 8; k++) w[k] = (NAME(Words))v[k];
  UNROLL for (int k = 0; k < 4; k++) EXCHANGE(w[k], w[k + 4], 4, 0x0F0F0F0F0F0F0F0F);
  UNROLL for (int k = 0; k < 4; k++)
    EXCHANGE(w[k / 2 * 4 + k % 2], w[k / 2 * 4 + k % 2 + 2], 2, 0x3333333333333333);
  UNROLL for (int k = 0; k < 4; k++) EXCHANGE(w[2 * k], w[2 * k + 1], 1, 0x5555555555555555);
  UNROLL for (int k = 0; k < 8; k++) v[k] = (NAME(Bytes))w[k];
}
#undef EXCHANGE
#endif

/* Bit planes: words of eight bytes as elements, their 8 x 8 bits transposed on the way: in each word by
   itself where the processor does that, else in eight vectors of byte planes at once. */

TARGET static void NAME(splitBits)(
    const uint8_t *from, uint8_t *to, size_t plane, size_t count) {
  FOR_GROUPS(at, count) {
    NAME(Bytes) v[8];
    UNROLL for (int k = 0; k < 8; k++) {
      __builtin_memcpy(&v[k], from + at * 8 + k * LANES, LANES);
#if AFFINE
      v[k] = NAME(transposeBits)(PICK(v[k], v[k], BACKWARDS, LANES));
#endif
    }
    SPLIT_PLANES(v, 8);
#if !AFFINE
    NAME(exchangeBits)(v);
#endif
    UNROLL for (int k = 0; k < 8; k++) __builtin_memcpy(to + k * plane + at, &v[k], LANES);
  }
}

/* LANES bytes of each of eight bit planes, as eight vectors of the byte plane. */
TARGET static inline void NAME(joinBitsGroup)(
    const uint8_t *const *planes, size_t at, NAME(Bytes) *v) {
  UNROLL for (int k = 0; k < 8; k++)
    __builtin_memcpy(&v[k], planes[AFFINE ? 7 - k : k] + at, LANES);
#if !AFFINE
  NAME(exchangeBits)(v);
#endif
  JOIN_PLANES(v, 8);
#if AFFINE
  UNROLL for (int k = 0; k < 8; k++) v[k] = NAME(transposeBits)(v[k]);
#endif
}

TARGET static void NAME(joinBits)(
    const void *const *planes, size_t offset, uint8_t *to, size_t count) {
  const uint8_t *from[8];
  UNROLL for (int k = 0; k < 8; k++) from[k] = (const uint8_t *)planes[k] + offset;
  FOR_GROUPS(at, count) {
    NAME(Bytes) v[8];
    NAME(joinBitsGroup)(from, at, v);
    UNROLL for (int k = 0; k < 8; k++)
      __builtin_memcpy(to + at * 8 + k * LANES, &v[k], LANES);
  }
}

#if LANES > 32
/* Sixteen bit planes at once need as many registers again. */
TARGET static void NAME(joinBitPairs)(
    const void *const *planes, size_t offset, uint8_t *to, size_t count) {
  const uint8_t *from[16];
  UNROLL for (int k = 0; k < 16; k++) from[k] = (const uint8_t *)planes[k] + offset;
  FOR_GROUPS(at, count) {
    NAME(Bytes) low[8], high[8];
    UNROLL for (int k = 0; k < 8; k++) {
      __builtin_memcpy(&low[k], from[7 - k] + at, LANES);
      __builtin_memcpy(&high[k], from[15 - k] + at, LANES);
    }
    SPREAD_PLANES(low, 8, 16);
    SPREAD_PLANES(high, 8, 16);
    JOIN_LANES(low, 8);
    JOIN_LANES(high, 8);
    UNROLL for (int k = 0; k < 8; k++) {
      NAME(Bytes) a = NAME(transposeBits)(low[k]), b = NAME(transposeBits)(high[k]);
      NAME(Bytes) pairs[2] = {PICK(a, b, LANE_LOW, LANES), PICK(a, b, LANE_HIGH, LANES)};
      __builtin_memcpy(to + (at * 8 + k * LANES) * 2, pairs, 2 * LANES);
    }
  }
}
#endif

#undef LANES
#undef NAME
#undef TARGET
#undef AFFINE
#undef PICK_
#undef PICK
#undef UNROLL
#undef PART
#undef INTERLEAVE
#undef SPLIT_PLANES
#undef JOIN_PLANES
#undef JOIN_LANES
#undef SPREAD_PLANES
#undef FOR_GROUPS
#undef SPLIT
#undef JOIN
#undef NARROWER
