// Matrix product, C[M,N] (+)= alpha · op(A) op(B), after Goto & van de Geijn 2008, "Anatomy of high-performance matrix multiplication".
//
// B is packed once into panels shared by all threads, A by whoever multiplies its rows; the micro-kernel walks the panels. Bits do not
// depend on the number of threads: k is cut into blocks by its length alone, each element is one chain of sums inside a
// block, and blocks are added in order. A backward pass is two more products: dA = dC op(B)ᵀ, dB = op(A)ᵀ dC.
//
// Few rows against a weight stored in rows (decoding) take another way, without packing: dot products along k. There the memory
// bus is the limit, and B is read once.
#include "declarations.h"
#include "pack.h"

namespace meditron::MEDITRON_ISA {
namespace {

// Longest block of k, in words: a panel of B (kTileColumns words wide) and one of A together should fit the first-level cache (48 KB: with
// 256 words the tile runs at 97% of the peak, with 320 at 84%). When C is bfloat16, partial sums cannot rest in it, so k is cut only beyond
// a much larger length.
constexpr int64_t kBlockWords = 256;
constexpr int64_t kBlockWordsWhole = 2048;
constexpr int64_t kPackedABytes = 56 << 10;   // small: while its tiles are computed, the source of the next block is fetched
constexpr int64_t kPackedBBytes = 8 << 20;    // shared, in the last-level cache
constexpr double kSmallWork = 2e5;            // multiply-adds that are not worth waking a worker

struct Grid {
  int64_t rows, columns;  // rows · columns parts
};

// Cuts C, `m` by `n` tiles, into parts for several threads: by rows first, since each part packs its own rows of A. A part of fewer than
// kLeastRowTiles would pack and read B for too little work.
constexpr int64_t kLeastRowTiles = 9;
Grid choose_grid(int threads, int64_t m, int64_t n) {
  const int64_t wanted = threads == 1 ? 1 : 2 * threads;
  const int64_t rows = most(least(wanted, m / kLeastRowTiles), 1);
  // Where rows give each thread its share, that is enough.
  const int64_t columns = rows % threads == 0 ? 1 : least(ceil_div(2 * threads, rows), n);
  return {rows, columns};
}

// Walks a block of A in memory, so that the tiles of one block ask for the source of the next: packing then finds it in the cache. A tile
// takes four of its rows, or, where A is transposed, four lines of as many rows as it has steps for.
class Upcoming {
 public:
  Upcoming() = default;
  Upcoming(const Gemm& g, int64_t m0, int64_t m, int64_t k0, int64_t k) {
    const int64_t size = g.a.type == Type::f32 ? 4 : 2, stride = g.lda * size;
    at_ = static_cast<const char*>(at(g.a, g.transpose_a ? k0 * g.lda + m0 : m0 * g.lda + k0).data);
    across_ = g.transpose_a ? kLine : stride, along_ = g.transpose_a ? stride : kLine;
    left_ = g.transpose_a ? ceil_div(m * size, kLine) : m;
    length_ = g.transpose_a ? k : ceil_div(k * size, kLine);
  }
  // `resting` is in the cache already: nothing more is wanted.
  MEDITRON_INLINE Ahead next(const float* resting, int64_t steps) {
    if (left_ <= 0) return {reinterpret_cast<const char*>(resting), 0, 0};
    const Ahead now{at_ + done_ * along_, across_, along_};
    done_ += steps / 16;
    if (done_ >= length_) done_ = 0, left_ -= 4, at_ += 4 * across_;
    return now;
  }

 private:
  static constexpr int64_t kLine = 64;
  const char* at_ = nullptr;
  int64_t across_ = 0, along_ = 0, left_ = 0, length_ = 0, done_ = 0;
};

template <class Math>
void gemm_packed(const Gemm& g, int threads) {
  const int64_t k_words = ceil_div(g.k, Math::kPerWord);
  const int64_t longest = g.c.type == Type::f32 ? kBlockWords : kBlockWordsWhole;
  const int64_t k_blocks = ceil_div(k_words, longest);
  const int64_t block_words = round_up(ceil_div(k_words, k_blocks), 16);
  const int64_t block_k = block_words * Math::kPerWord, block_rows = block_words + Math::kScaleRows;

  // As much of B is packed at once as fits, all columns first, then blocks of k: threads seldom wait for each other.
  const int64_t n_block = least(most(kPackedBBytes / (block_rows * 4) / kTileColumns, 1), ceil_div(g.n, kTileColumns)) * kTileColumns;
  const int64_t span = block_k * least(most(kPackedBBytes / (block_rows * 4 * n_block), 1), k_blocks);
  const int64_t m_block = most(kPackedABytes / (block_rows * 4) / kTileRows, 1) * kTileRows;

  const int64_t row_tiles = ceil_div(g.m, kTileRows), span_rows = span / block_k * block_rows;
  float* const packed_b = static_cast<float*>(pool::shared(pool::Slot::packed_b, n_block * span_rows * 4));

  for (int64_t n0 = 0; n0 < g.n; n0 += n_block) {
    const int64_t n = least(n_block, g.n - n0), panels = ceil_div(n, kTileColumns);
    const Grid grid = choose_grid(threads, row_tiles, panels);
    for (int64_t k_begin = 0; k_begin < g.k; k_begin += span) {
      const int64_t k_end = least(k_begin + span, g.k), blocks = ceil_div(k_end - k_begin, block_k);
      const auto panels_of = [&](int64_t k0) { return packed_b + (k0 - k_begin) / block_k * block_rows * n_block; };
      const auto pack = [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
          const int64_t k0 = k_begin + i / panels * block_k, panel = i % panels;
          pack_panels<Math, kTileColumns>(g.b, g.transpose_b ? n0 * g.ldb + k0 : k0 * g.ldb + n0, g.ldb, g.transpose_b, n,
                                          least(block_k, k_end - k0), panel, panel + 1, panels_of(k0));
        }
      };
      if (threads == 1) pack(0, panels * blocks);
      else pool::parallel_range(panels * blocks, 4, pack);

      const auto rows_before = [&](int64_t i) { return least(row_tiles * i / grid.rows * kTileRows, g.m); };
      const auto multiply = [&](int64_t part, int64_t, int thread) {
        const int64_t i = part / grid.columns, j = part % grid.columns;
        const int64_t m_begin = rows_before(i), m_end = rows_before(i + 1);
        const int64_t i_next = (part + threads) / grid.columns;  // a guess: threads take turns
        const int64_t q_begin = panels * j / grid.columns, q_end = panels * (j + 1) / grid.columns;
        float* const packed_a = static_cast<float*>(pool::own(pool::Slot::packed_a, thread, (m_block * block_rows + 64) * 4));
        for (int64_t m0 = m_begin; m0 < m_end; m0 += m_block) {
          const int64_t m = least(m_block, m_end - m0), row_panels = ceil_div(m, kTileRows);
          for (int64_t k0 = k_begin; k0 < k_end; k0 += block_k) {
            const int64_t k = least(block_k, k_end - k0), words = ceil_div(k, Math::kPerWord), panel = panel_rows<Math>(k);
            pack_panels<Math, kTileRows>(g.a, g.transpose_a ? k0 * g.lda + m0 : m0 * g.lda + k0, g.lda, !g.transpose_a, m, k, 0,
                                         row_panels, packed_a);
            Upcoming upcoming;
            if (k0 + block_k < k_end) upcoming = {g, m0, m, k0 + block_k, least(block_k, k_end - k0 - block_k)};
            else if (m0 + m_block < m_end) upcoming = {g, m0 + m_block, least(m_block, m_end - m0 - m_block), k_begin, least(block_k, k_end - k_begin)};
            else if (i_next > i && i_next < grid.rows) upcoming = {g, rows_before(i_next), least(m_block, rows_before(i_next + 1) - rows_before(i_next)), k_begin, least(block_k, k_end - k_begin)};
            for (int64_t q = q_begin; q < q_end; q++) {
              TileOutput out{nullptr, g.ldc, g.c.type, g.accumulate || k0 > 0, g.alpha, 0,
                             static_cast<int>(least(kTileColumns, n - q * kTileColumns))};
              for (int64_t p = 0; p < row_panels; p++) {
                out.c = at(g.c, (m0 + p * kTileRows) * g.ldc + n0 + q * kTileColumns).data;
                out.rows = static_cast<int>(least(kTileRows, m - p * kTileRows));
                panel_tile<Math>(words, packed_a + p * panel * kTileRows, panels_of(k0) + q * panel * kTileColumns, out, upcoming.next(packed_a, words));
              }
            }
          }
        }
      };
      if (threads == 1) multiply(0, 1, 0);
      else pool::parallel(static_cast<int>(grid.rows * grid.columns), multiply);
    }
  }
}

// ---- few rows ---------------------------------------------------------------------------------------------------------

constexpr int64_t kThinRows = 32;

// Rows x Columns dot products along k at once. a: words [row][words]; b: rows of the stored matrix.
template <class Math, int Rows, int Columns, class S>
MEDITRON_INLINE void dot_block(const float* a, int64_t words, const S* b, int64_t ldb, int64_t k, float (*sums)[Columns]) {
  constexpr int kStep = kLanes * Math::kPerWord;
  Vec c[Rows][Columns];
#pragma GCC unroll 8
  for (int i = 0; i < Rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < Columns; j++) c[i][j] = zero();
  const auto step = [&](int64_t at, int64_t left) MEDITRON_LAMBDA {
    Vec a_i[Rows];
#pragma GCC unroll 8
    for (int i = 0; i < Rows; i++) a_i[i] = load(a + i * words + at / Math::kPerWord);
#pragma GCC unroll 8
    for (int j = 0; j < Columns; j++) {
      const Vec b_j = Math::along(b + j * ldb + at, left);
      // Rows are too short for the processor to guess what comes: the next block is asked for while this one is summed.
      __builtin_prefetch(b + (Columns + j) * ldb + at);
#pragma GCC unroll 8
      for (int i = 0; i < Rows; i++) c[i][j] = Math::multiply_add(a_i[i], b_j, c[i][j]);
    }
  };
  int64_t at = 0;
  for (; at + kStep <= k; at += kStep) step(at, kStep);
  if (at < k) step(at, k - at);
  if constexpr (Rows * Columns == 16) return sum_each(c[0], sums[0]);
#pragma GCC unroll 8
  for (int i = 0; i < Rows; i++)
#pragma GCC unroll 8
    for (int j = 0; j < Columns; j++) sums[i][j] = sum(c[i][j]);
}

template <class Math, class S>
void gemm_thin(const Gemm& g, const S* b, int threads) {
  // Rows of A as words, padded with zero rows to whole groups and with zero words to whole vectors.
  constexpr int kGroup = kLanes == 16 ? 8 : 4, kColumns = 2;  // accumulators that fit the registers
  const int group = g.m == 1 ? 1 : kGroup;
  const int64_t rows = round_up(g.m, group), words = round_up(ceil_div(g.k, Math::kPerWord), kLanes);
  float* const a = static_cast<float*>(pool::shared(pool::Slot::thin, rows * words * 4));
  for (int64_t i = 0; i < rows; i++) {
    for (int64_t w = 0; w < words; w += kLanes) {
      const int64_t k = w * Math::kPerWord, from = i * g.lda + k;
      Vec v = zero();
      if (i < g.m) {
        v = g.a.type == Type::f32 ? Math::along(static_cast<const float*>(g.a.data) + from, g.k - k)
                                  : Math::along(static_cast<const bf16*>(g.a.data) + from, g.k - k);
      }
      store(a + i * words + w, v);
    }
  }
  const auto write = [&](int64_t i, int64_t j, float value) MEDITRON_LAMBDA {
    const int64_t to = i * g.ldc + j;
    value *= g.alpha;
    if (g.c.type == Type::f32) {
      float* const c = static_cast<float*>(g.c.data) + to;
      *c = g.accumulate ? value + *c : value;
    } else {
      const Part one{1};
      if (g.accumulate) value += load(g.c, to, one)[0];
      store(g.c, to, set(value), one);
    }
  };
  // Parts of whole groups of columns; what is left over at the end of the last goes one by one.
  constexpr int kAlone = 8;  // columns for a single row
  const int64_t columns = group == 1 ? kAlone : kColumns, groups = ceil_div(g.n, columns);
  const int parts = static_cast<int>(threads == 1 ? 1 : least(threads * pool::kPartsPerThread, groups));
  pool::parallel(parts, [&](int64_t part, int64_t count, int) {
    const int64_t begin = groups * part / count * columns, end = least(groups * (part + 1) / count * columns, g.n);
    int64_t j = begin;
    for (; group == 1 && j + kAlone <= end; j += kAlone) {
      float sums[1][kAlone];
      dot_block<Math, 1, kAlone>(a, words, b + j * g.ldb, g.ldb, g.k, sums);
      for (int c = 0; c < kAlone; c++) write(0, j + c, sums[0][c]);
    }
    for (; group > 1 && j + kColumns <= end; j += kColumns) {
      for (int64_t i = 0; i < g.m; i += kGroup) {
        float sums[kGroup][kColumns];
        dot_block<Math, kGroup, kColumns>(a + i * words, words, b + j * g.ldb, g.ldb, g.k, sums);
        for (int r = 0; r < kGroup && i + r < g.m; r++)
          for (int c = 0; c < kColumns; c++) write(i + r, j + c, sums[r][c]);
      }
    }
    for (; j < end; j++) {
      for (int64_t i = 0; i < g.m; i++) {
        float sums[1][1];
        dot_block<Math, 1, 1>(a + i * words, words, b + j * g.ldb, g.ldb, g.k, sums);
        write(i, j, sums[0][0]);
      }
    }
  });
}

template <class Math, class Packed>
void gemm_as(const Gemm& g) {
  const double work = static_cast<double>(g.m) * static_cast<double>(g.n) * static_cast<double>(g.k);
  const int threads = work < kSmallWork ? 1 : pool::threads();
  if (g.m <= kThinRows && g.transpose_b && !g.transpose_a) {
    if (g.b.type == Type::f32) gemm_thin<Math>(g, static_cast<const float*>(g.b.data), threads);
    else gemm_thin<Math>(g, static_cast<const bf16*>(g.b.data), threads);
    return;
  }
  if (g.c.type == Type::bf16 && ceil_div(g.k, Packed::kPerWord) > kBlockWordsWhole) {
    // Sums over several blocks of k are kept in float32 and rounded once.
    float* const sums = static_cast<float*>(pool::shared(pool::Slot::converted, g.m * g.n * 4));
    Gemm wide = g;
    wide.c = {sums, Type::f32};
    wide.ldc = g.n;
    wide.accumulate = false;
    gemm_packed<Packed>(wide, threads);
    pool::parallel_range(g.m, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; i++) {
        each(g.n, [&](int64_t j, auto lanes) {
          Vec v = load(sums + i * g.n + j, lanes);
          if (g.accumulate) v = v + load(g.c, i * g.ldc + j, lanes);
          store(g.c, i * g.ldc + j, v, lanes);
        });
      }
    });
    return;
  }
  gemm_packed<Packed>(g, threads);
}

}  // namespace

void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) {
    for (int64_t i = 0; i < g.m && !g.accumulate; i++) fill(at(g.c, i * g.ldc), g.n, 0.0f);
    return;
  }
  if (g.precision == Precision::bf16) gemm_as<Bf16, PackedBf16>(g);
  else gemm_as<F32, F32>(g);
}

}  // namespace meditron::MEDITRON_ISA
