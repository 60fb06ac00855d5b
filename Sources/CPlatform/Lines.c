/* Whole lines of the cache put together from rows of several blocks; see CPlatform.h. */
#include "CPlatform.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define TARGET __attribute__((target("avx512f,avx512bw")))

/* A line of a unit has so many segments at most: with more, most of their places are not in registers. */
enum { LINE = 64, UNIT = 2 * LINE, MOST_SEGMENTS = 6 };

/* Wider rows are sent a unit of several rows at a time, of so many bytes of rows that what they come from
   stays in the nearest cache. */
enum { MOST_UNITS = 32, TURN = 1 << 13 };

/* For fewer units below each other finding their segments takes longer than copying. */
enum { LEAST_COUNT = 8 };

/* What a line takes from one row: `from` is where the line would begin beside those bytes. */
typedef struct {
  const uint8_t *from;
  __mmask64 mask;
} segment;

/* Two lines that lie side by side, since the processor sends those faster. */
typedef struct {
  segment segments[2][MOST_SEGMENTS];
  size_t most;
} unit;

#define UNROLL _Pragma("clang loop unroll(full)")

/* The first and then every `stride` bytes another unit, from `offset` on, each `step` bytes further. */
#define SEND(n)                                               \
  TARGET static void send##n(                                 \
      const unit *unit, size_t offset, size_t step, uint8_t *to, size_t stride, size_t count) { \
    const uint8_t *from[2][n];                                \
    __mmask64 mask[2][n];                                     \
    UNROLL for (int line = 0; line < 2; line++)               \
      UNROLL for (int k = 0; k < n; k++) {                    \
        from[line][k] = unit->segments[line][k].from;         \
        mask[line][k] = unit->segments[line][k].mask;         \
      }                                                       \
    for (; count > 0; count--, offset += step, to += stride) { \
      __m512i bytes[2];                                       \
      UNROLL for (int line = 0; line < 2; line++) {           \
        bytes[line] = _mm512_maskz_loadu_epi8(mask[line][0], from[line][0] + offset); \
        UNROLL for (int k = 1; k < n; k++)                    \
          bytes[line] = _mm512_mask_loadu_epi8(               \
              bytes[line], mask[line][k], from[line][k] + offset); \
      }                                                       \
      _mm512_stream_si512((__m512i *)to, bytes[0]);           \
      _mm512_stream_si512((__m512i *)(to + LINE), bytes[1]);  \
    }                                                         \
  }

SEND(1)
SEND(2)
SEND(3)
SEND(4)
SEND(5)
SEND(6)

/* What the two lines at `start`, counted from the first row's first byte, take from which rows. Returns 0
   where that are too many. */
static int find_segments(
    unit *unit, const hyperslab_rows *parts, size_t part_count, size_t start, size_t stride) {
  unit->most = 0;
  for (int line = 0; line < 2; line++) {
    segment *segments = unit->segments[line];
    size_t low = start + line * LINE, high = low + LINE, count = 0;
    for (size_t row = low / stride; row * stride < high; row++)
      for (size_t k = 0; k < part_count; k++) {
        size_t first = row * stride + (size_t)(parts[k].to - parts[0].to);
        size_t begin = first > low ? first : low;
        size_t end = first + parts[k].count < high ? first + parts[k].count : high;
        if (begin >= end) continue;
        if (count == MOST_SEGMENTS) return 0;
        uintptr_t from = (uintptr_t)parts[k].from + row * parts[k].from_stride + low - first;
        segments[count++] = (segment){
            .from = (const uint8_t *)from,
            .mask = ~(__mmask64)0 >> (LINE - (end - begin)) << (begin - low)};
      }
    if (count > unit->most) unit->most = count;
    while (count < MOST_SEGMENTS) segments[count++] = (segment){.from = segments[0].from};
  }
  return 1;
}

static void send(
    const unit *unit, size_t offset, size_t step, uint8_t *to, size_t stride, size_t count) {
#define CASE(n) case n: send##n(unit, offset, step, to, stride, count); break;
  switch (unit->most) {
    CASE(1)
    CASE(2)
    CASE(3)
    CASE(4)
    CASE(5)
    CASE(6)
  }
}

size_t hyperslab_stream_rows(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows) {
  if (width < LINE || part_count == 0) return 0;
  uint8_t *to = parts[0].to;
  size_t stride = parts[0].to_stride, step = parts[0].from_stride;
  if (stride == 0 || (stride % UNIT != 0 && UNIT % stride != 0)) return 0;
  if (stride > MOST_UNITS * UNIT || (uintptr_t)to % LINE != 0) return 0;
  for (size_t k = 1; k < part_count; k++)
    if (parts[k].from_stride != step) return 0;
  size_t rows_of_unit = stride < UNIT ? UNIT / stride : 1;
  size_t unit_stride = stride * rows_of_unit, unit_step = step * rows_of_unit;
  size_t count = rows / rows_of_unit;
  if (count < LEAST_COUNT) return 0;
  unit units[MOST_UNITS];
  for (size_t start = 0; start < unit_stride; start += UNIT)
    if (!find_segments(&units[start / UNIT], parts, part_count, start, stride)) return 0;
  size_t turn = unit_stride == UNIT ? count : TURN / unit_stride;
  for (size_t done = 0; done < count; done += turn)
    for (size_t start = 0; start < unit_stride; start += UNIT)
      send(
          &units[start / UNIT], done * unit_step, unit_step, to + done * unit_stride + start,
          unit_stride, turn < count - done ? turn : count - done);
  return count * rows_of_unit;
}

#else

size_t hyperslab_stream_rows(
    size_t width, const hyperslab_rows *parts, size_t part_count, size_t rows) {
  return 0;
}
#endif
