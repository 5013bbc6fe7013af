#pragma once
#include <algorithm>
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// What JPEG does to pixels: blocks of 8x8 in luminance and chrominance, their cosine transform, quantised by the
/// tables of ITU-T T.81 (Annex K) at a quality from 1 to 100 (libjpeg's scale of those tables), and back. Colours are
/// not subsampled.
struct Jpeg {
  static constexpr const char* kName = "jpeg";
  double chance = 0.3;
  double worst = 30;  ///< quality; the best that is drawn is 90

  struct Change {
    static constexpr Index kBlock = 8;
    static constexpr int kPasses = 1;
    bool active = false;
    int quality = 100;
    int left = 0, top = 0;  ///< pixels of the first block that lie outside the crop

    NUCDET_HD void apply(int, const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      if (y - top >= from.shape.h || x - left >= from.shape.w) return;
      const Cosines cosines;
      float planes[3][64];
      read(from, n, y - top, x - left, planes);
      for (int p = 0; p < 3; ++p) {
        cosines.transform<false>(planes[p]);
        for (int k = 0; k < 64; ++k) {
          const float step = step_of(p > 0, k);
          planes[p][k] = step * std::floor(planes[p][k] / step + 0.5f);
        }
        cosines.transform<true>(planes[p]);
      }
      write(to, n, y - top, x - left, planes);
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
    NUCDET_HD static void read(const View<const float>& from, Index n, Index y, Index x, float (&planes)[3][64]) {
      for (Index j = 0; j < 8; ++j)
        for (Index i = 0; i < 8; ++i) {
          const float* const p = from.pixel(n, within(y + j, y, from.shape.h), within(x + i, x, from.shape.w));
          const float r = 255 * p[0], g = 255 * p[1], b = 255 * p[2];
          const Index k = 8 * j + i;
          planes[0][k] = 0.299f * r + 0.587f * g + 0.114f * b - 128;
          planes[1][k] = -0.168736f * r - 0.331264f * g + 0.5f * b;
          planes[2][k] = 0.5f * r - 0.418688f * g - 0.081312f * b;
        }
    }
    NUCDET_HD static void write(const View<float>& to, Index n, Index y, Index x, const float (&planes)[3][64]) {
      for (Index j = 0; j < 8; ++j)
        for (Index i = 0; i < 8; ++i) {
          if (y + j < 0 || x + i < 0 || y + j >= to.shape.h || x + i >= to.shape.w) continue;
          const Index k = 8 * j + i;
          const float luma = planes[0][k] + 128, cb = planes[1][k], cr = planes[2][k];
          float* const p = to.pixel(n, y + j, x + i);
          p[0] = detail::clamp_unit((luma + 1.402f * cr) / 255);
          p[1] = detail::clamp_unit((luma - 0.344136f * cb - 0.714136f * cr) / 255);
          p[2] = detail::clamp_unit((luma + 1.772f * cb) / 255);
        }
    }
    /// The block's own pixels stand in for those beyond the crop.
    NUCDET_HD static Index within(Index at, Index begin, Index extent) {
      const Index low = begin < 0 ? 0 : begin, high = begin + 7 < extent ? begin + 7 : extent - 1;
      return at < low ? low : at > high ? high : at;
    }
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
  };

  void check() const { detail::check_range("jpeg chance", chance, 0, 1), detail::check_range(kName, worst, 1, 100); }
  Change draw(Index, RandomStream& random) const {
    Change change;
    change.active = random.chance(chance) && worst < 100;
    change.quality = static_cast<int>(random.uniform(worst, std::max(worst, 90.0)));
    change.left = static_cast<int>(random.below(8)), change.top = static_cast<int>(random.below(8));
    return change;
  }
};

}  // namespace nucdet::data
