#pragma once
#include <algorithm>
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// What JPEG does to pixels: blocks of 8x8 in luminance and chrominance, their cosine transform, quantised by the
/// tables of ITU-T T.81 (Annex K) at a quality from 1 to 100 (libjpeg's scale of those tables), and back. Chrominance
/// may have half the resolution along both axes, as most files have it: means of 2x2 pixels, and bilinearly back.
struct Jpeg {
  static constexpr const char* kName = "jpeg";
  double chance = 0.3;
  double worst = 30;        ///< quality; the best that is drawn is 90
  double subsampled = 0.7;  ///< share of those crops whose chrominance has half the resolution

  struct Change {
    static constexpr Index kBlock = 16;  // four blocks of luminance and, at half resolution, one of chrominance
    static constexpr int kPasses = 1;
    bool active = false;
    int quality = 100;
    int left = 0, top = 0;  ///< pixels of the first square of 16 that lie outside the crop
    bool subsampled = false;

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      const Index y0 = y - top, x0 = x - left;
      if (y0 >= from.shape.h || x0 >= from.shape.w) return;
      const Cosines cosines;
      float luma[64], blue[64], red[64];
      if (subsampled) code_chrominance(cosines, from, n, y0, x0, 2, blue, red);
      for (Index j = y0; j < y0 + kBlock; j += 8)
        for (Index i = x0; i < x0 + kBlock; i += 8) {
          if (j <= -8 || i <= -8 || j >= from.shape.h || i >= from.shape.w) continue;
          for (Index k = 0; k < 64; ++k) luma[k] = mean(from, n, j, i, 1, k, 0.299f, 0.587f, 0.114f) - 128;
          code(cosines, false, luma);
          if (!subsampled) code_chrominance(cosines, from, n, j, i, 1, blue, red);
          write(to, n, j, i, j - y0, i - x0, luma, blue, red);
        }
    }
    /// The quantisation step of coefficient k (row-major), in grey levels of 255.
    NUCDET_HD float step_of(bool chrominance, int k) const {
      constexpr unsigned char luma[64] = {16, 11, 10, 16, 24,  40,  51,  61,  12, 12, 14, 19, 26,  58,  60,  55,   //
                                          14, 13, 16, 24, 40,  57,  69,  56,  14, 17, 22, 29, 51,  87,  80,  62,   //
                                          18, 22, 37, 56, 68,  109, 103, 77,  24, 35, 55, 64, 81,  104, 113, 92,   //
                                          49, 64, 78, 87, 103, 121, 120, 101, 72, 92, 95, 98, 112, 100, 103, 99};  //
      constexpr unsigned char chroma[64] = {17, 18, 24, 47, 99, 99, 99, 99, 18, 21, 26, 66, 99, 99, 99, 99,
                                            24, 26, 56, 99, 99, 99, 99, 99, 47, 66, 99, 99, 99, 99, 99, 99,
                                            99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99,
                                            99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99, 99};
      const int percent = quality < 50 ? 5000 / quality : 200 - 2 * quality;
      const int step = ((chrominance ? chroma[k] : luma[k]) * percent + 50) / 100;
      return static_cast<float>(step < 1 ? 1 : step > 255 ? 255 : step);
    }

   private:
    /// The orthonormal cosine transform: row u holds the wave of frequency u.
    struct Cosines {
      float wave[64];
      NUCDET_HD Cosines() {
        // cos(k pi / 16) / 2; the constant row has 1 / sqrt(8).
        constexpr float table[9] = {0.5f,        0.49039264f, 0.46193977f, 0.41573481f, 0.35355339f,
                                    0.27778512f, 0.19134172f, 0.09754516f, 0.0f};
        for (int u = 0; u < 8; ++u)
          for (int i = 0; i < 8; ++i) {
            const int k = (2 * i + 1) * u % 32, folded = k > 16 ? 32 - k : k;  // cos is even, and odd about pi / 2
            wave[8 * u + i] = u == 0 ? table[4] : folded <= 8 ? table[folded] : -table[16 - folded];
          }
      }
      /// Along rows, then along columns; the inverse is the transposed matrix.
      template <bool Inverse>
      NUCDET_HD void transform(float (&block)[64]) const {
        for (int axis = 0; axis < 2; ++axis)
          for (int line = 0; line < 8; ++line) {
            float out[8];
            for (int u = 0; u < 8; ++u) {
              float sum = 0;
              for (int i = 0; i < 8; ++i)
                sum += wave[Inverse ? 8 * i + u : 8 * u + i] * block[axis == 0 ? 8 * line + i : 8 * i + line];
              out[u] = sum;
            }
            for (int u = 0; u < 8; ++u) block[axis == 0 ? 8 * line + u : 8 * u + line] = out[u];
          }
      }
    };
    /// What is left of a block.
    NUCDET_HD void code(const Cosines& cosines, bool chrominance, float (&block)[64]) const {
      cosines.transform<false>(block);
      for (int k = 0; k < 64; ++k) {
        const float step = step_of(chrominance, k);
        block[k] = step * std::floor(block[k] / step + 0.5f);
      }
      cosines.transform<true>(block);
    }
    NUCDET_HD void code_chrominance(const Cosines& cosines, const View<const float>& from, Index n, Index y, Index x,
                                    Index cell, float (&blue)[64], float (&red)[64]) const {
      for (Index k = 0; k < 64; ++k) {
        blue[k] = mean(from, n, y, x, cell, k, -0.168736f, -0.331264f, 0.5f);
        red[k] = mean(from, n, y, x, cell, k, 0.5f, -0.418688f, -0.081312f);
      }
      code(cosines, true, blue), code(cosines, true, red);
    }
    /// A weighted sum of the colours, in grey levels of 255, over cell k (row-major) of the eight times eight that
    /// begin at (y, x). Their own pixels stand in for those beyond the crop.
    NUCDET_HD static float mean(const View<const float>& from, Index n, Index y, Index x, Index cell, Index k, float r,
                                float g, float b) {
      float sum = 0;
      for (Index j = k / 8 * cell; j < (k / 8 + 1) * cell; ++j)
        for (Index i = k % 8 * cell; i < (k % 8 + 1) * cell; ++i) {
          const float* const p =
              from.pixel(n, within(y + j, y, 8 * cell, from.shape.h), within(x + i, x, 8 * cell, from.shape.w));
          sum += r * p[0] + g * p[1] + b * p[2];
        }
      return sum * 255 / static_cast<float>(cell * cell);
    }
    NUCDET_HD static Index within(Index at, Index begin, Index size, Index extent) {
      const Index low = begin < 0 ? 0 : begin, high = begin + size < extent ? begin + size - 1 : extent - 1;
      return at < low ? low : at > high ? high : at;
    }
    /// The block at (y, x), which begins at (row, column) of its square of 16.
    NUCDET_HD void write(const View<float>& to, Index n, Index y, Index x, Index row, Index column,
                         const float (&luma)[64], const float (&blue)[64], const float (&red)[64]) const {
      for (Index j = 0; j < 8; ++j)
        for (Index i = 0; i < 8; ++i) {
          if (y + j < 0 || x + i < 0 || y + j >= to.shape.h || x + i >= to.shape.w) continue;
          const float l = luma[8 * j + i] + 128, cb = chrominance(blue, row + j, column + i),
                      cr = chrominance(red, row + j, column + i);
          float* const p = to.pixel(n, y + j, x + i);
          p[0] = detail::clamp_unit((l + 1.402f * cr) / 255);
          p[1] = detail::clamp_unit((l - 0.344136f * cb - 0.714136f * cr) / 255);
          p[2] = detail::clamp_unit((l + 1.772f * cb) / 255);
        }
    }
    /// Of pixel (y, x) of a square of 16.
    NUCDET_HD float chrominance(const float (&plane)[64], Index y, Index x) const {
      if (!subsampled) return plane[8 * (y % 8) + x % 8];
      const auto between = [](float a, float b) { return 0.75f * a + 0.25f * b; };
      const auto across = [&](Index r) { return between(plane[8 * r + x / 2], plane[8 * r + beside(x)]); };
      return between(across(y / 2), across(beside(y)));
    }
    /// The cell on the other side of a pixel's own: pixels lie a quarter of a cell from its centre.
    NUCDET_HD static Index beside(Index at) {
      const Index other = at % 2 == 0 ? at / 2 - 1 : at / 2 + 1;
      return other < 0 ? 0 : other > 7 ? 7 : other;
    }
  };

  void check() const {
    detail::check_range("jpeg chance", chance, 0, 1), detail::check_range(kName, worst, 1, 100);
    detail::check_range("jpeg subsampled", subsampled, 0, 1);
  }
  Change draw(Index, RandomStream& random) const {
    Change change;
    change.active = random.chance(chance) && worst < 100;
    change.quality = static_cast<int>(random.uniform(worst, std::max(worst, 90.0)));
    change.left = static_cast<int>(random.below(16)), change.top = static_cast<int>(random.below(16));
    change.subsampled = random.chance(subsampled);
    return change;
  }
};

}  // namespace nucdet::data
