#pragma once
#include <cmath>

#include "nucdet/data/augment/step.hpp"

namespace nucdet::data {

/// Resolution that is lost: the crop is brought to fewer pixels (means under triangles) and back (bilinearly), as of an
/// image that was scanned at 20x.
struct Resolution {
  static constexpr const char* kName = "resolution";
  double chance = 0.2;
  double most = 2.5;  ///< pixels that become one, along an axis

  struct Change {
    static constexpr Index kBlock = 1;
    static constexpr int kPasses = 2;
    bool active = false;
    float factor = 1;

    NUCDET_HD void apply(int pass, const View<const float>& from, const View<float>& to, Index n, Index y,
                         Index x) const {
      pass == 0 ? shrink(from, to, n, y, x) : grow(from, to, n, y, x);
    }

   private:
    NUCDET_HD Index cells(Index extent) const {
      return static_cast<Index>(std::ceil(static_cast<float>(extent) / factor));
    }
    /// Cell (y, x) of the small image, kept in that corner of the buffer.
    NUCDET_HD void shrink(const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      if (y >= cells(from.shape.h) || x >= cells(from.shape.w)) return;
      const float cy = (static_cast<float>(y) + 0.5f) * factor - 0.5f,
                  cx = (static_cast<float>(x) + 0.5f) * factor - 0.5f;
      const Index y0 = first(cy), y1 = last(cy, from.shape.h), x0 = first(cx), x1 = last(cx, from.shape.w);
      float* const out = to.pixel(n, y, x);
      float total = 0;
      for (Index c = 0; c < from.shape.c; ++c) out[c] = 0;
      for (Index j = y0; j <= y1; ++j)
        for (Index i = x0; i <= x1; ++i) {
          const float w = triangle(static_cast<float>(j) - cy) * triangle(static_cast<float>(i) - cx);
          const float* const in = from.pixel(n, j, i);
          for (Index c = 0; c < from.shape.c; ++c) out[c] += w * in[c];
          total += w;
        }
      for (Index c = 0; c < from.shape.c; ++c) out[c] /= total;
    }
    NUCDET_HD void grow(const View<const float>& from, const View<float>& to, Index n, Index y, Index x) const {
      const Index rows = cells(from.shape.h), columns = cells(from.shape.w);
      const float cy = (static_cast<float>(y) + 0.5f) / factor - 0.5f,
                  cx = (static_cast<float>(x) + 0.5f) / factor - 0.5f;
      const float fy = std::floor(cy), fx = std::floor(cx), v = cy - fy, u = cx - fx;
      const Index y0 = within(static_cast<Index>(fy), rows), y1 = within(static_cast<Index>(fy) + 1, rows),
                  x0 = within(static_cast<Index>(fx), columns), x1 = within(static_cast<Index>(fx) + 1, columns);
      float* const out = to.pixel(n, y, x);
      for (Index c = 0; c < from.shape.c; ++c) {
        const float top = (1 - u) * from.pixel(n, y0, x0)[c] + u * from.pixel(n, y0, x1)[c];
        const float bottom = (1 - u) * from.pixel(n, y1, x0)[c] + u * from.pixel(n, y1, x1)[c];
        out[c] = (1 - v) * top + v * bottom;
      }
    }
    NUCDET_HD float triangle(float d) const {
      const float w = 1 - (d < 0 ? -d : d) / factor;
      return w > 0 ? w : 0.0f;
    }
    NUCDET_HD Index first(float centre) const {
      const Index i = static_cast<Index>(std::ceil(centre - factor));
      return i < 0 ? 0 : i;
    }
    NUCDET_HD Index last(float centre, Index extent) const {
      return within(static_cast<Index>(centre + factor), extent);
    }
    NUCDET_HD static Index within(Index i, Index extent) { return i < 0 ? 0 : i < extent ? i : extent - 1; }
  };

  void check() const { detail::check_range("resolution chance", chance, 0, 1), detail::check_range(kName, most, 1, 8); }
  Change draw(Index, RandomStream& random) const {
    const bool active = random.chance(chance);
    const double factor = std::exp(random.uniform() * std::log(most));
    return {active && factor > 1.01, static_cast<float>(factor)};
  }
};

}  // namespace nucdet::data
