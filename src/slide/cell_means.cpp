#include "cell_means.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"

namespace nucdet::slide::detail {

namespace {

constexpr Index kBlockRows = 1024, kBlockColumns = 4096;  // about, so 12 MB

struct Sum {
  std::uint64_t rgb[3] = {};
  std::uint64_t count = 0;
  std::uint8_t least = 255, most = 0;

  void add(const std::uint8_t* pixels, Index many) {
    std::uint32_t r = 0, g = 0, b = 0;  // of a row of one block: no more than 2^20
    std::uint8_t low = 255, high = 0;
    for (const std::uint8_t* p = pixels; p != pixels + 3 * many; p += 3) r += p[0], g += p[1], b += p[2];
    for (const std::uint8_t* p = pixels; p != pixels + 3 * many; ++p)
      low = std::min(low, *p), high = std::max(high, *p);
    rgb[0] += r, rgb[1] += g, rgb[2] += b;
    least = std::min(least, low), most = std::max(most, high);
    count += static_cast<std::uint64_t>(many);
  }
};

/// The first pixel of a cell, where `pixels` are shared out to `cells`.
Index begin_of(Index cell, Index cells, Index pixels) { return cell * pixels / cells; }

/// The cell of each pixel.
std::vector<Index> cells_of(Index cells, Index pixels) {
  std::vector<Index> all(static_cast<std::size_t>(pixels));
  for (Index i = 0; i < cells; ++i)
    std::fill(all.begin() + begin_of(i, cells, pixels), all.begin() + begin_of(i + 1, cells, pixels), i);
  return all;
}

/// A length near `wanted` that holds whole tiles, so that none is decoded for two blocks.
Index block_of(Index wanted, Index tile) { return tile > 0 && tile < wanted ? wanted / tile * tile : wanted; }

/// The bounds in pixels of a level.
Rectangle bounds_at(const Slide& slide, const Level& level) {
  const Rectangle b = slide.bounds();
  const auto scaled = [](Index at, double downsample, Index size, bool up) {
    const double exact = static_cast<double>(at) / downsample;
    return std::clamp<Index>(static_cast<Index>(up ? std::ceil(exact) : std::floor(exact)), 0, size);
  };
  const Index left = scaled(b.x, level.downsample_x, level.width, false),
              right = scaled(b.x + b.width, level.downsample_x, level.width, true),
              top = scaled(b.y, level.downsample_y, level.height, false),
              bottom = scaled(b.y + b.height, level.downsample_y, level.height, true);
  return {left, top, right - left, bottom - top};
}

/// Sums of the rows of cells that are not complete yet.
class Averages {
 public:
  Averages(CellMeans& means, Index pixels_x, Index pixels_y)
      : means_(means),
        pixels_x_(pixels_x),
        pixels_y_(pixels_y),
        column_(cells_of(means.width, pixels_x)),
        row_(cells_of(means.height, pixels_y)) {}

  void add(const Rectangle& r, const std::uint8_t* rgb) {
    if (sums_.empty()) first_ = row_[static_cast<std::size_t>(r.y)];
    const Index last = row_[static_cast<std::size_t>(r.y + r.height - 1)];
    sums_.resize(std::max(sums_.size(), static_cast<std::size_t>((last - first_ + 1) * means_.width)));
    for (Index y = r.y; y < r.y + r.height; ++y) {
      Sum* const to = sums_.data() + (row_[static_cast<std::size_t>(y)] - first_) * means_.width;
      for (Index x = r.x; x < r.x + r.width;) {
        const Index cell = column_[static_cast<std::size_t>(x)];
        const Index end = std::min(r.x + r.width, begin_of(cell + 1, means_.width, pixels_x_));
        to[cell].add(rgb, end - x);
        rgb += 3 * (end - x), x = end;
      }
    }
  }
  /// All rows of pixels before this one were added.
  void finish(Index pixel_row) {
    Index done = 0;
    const Index held = static_cast<Index>(sums_.size()) / means_.width;
    while (done < held && begin_of(first_ + done + 1, means_.height, pixels_y_) <= pixel_row) put(done++);
    sums_.erase(sums_.begin(), sums_.begin() + done * means_.width);
    first_ += done;
  }
  /// What is left: a row that the slide's bounds cut.
  void finish_all() {
    for (Index i = 0; i < static_cast<Index>(sums_.size()) / means_.width; ++i) put(i);
  }

 private:
  void put(Index i) {
    const Sum* from = sums_.data() + i * means_.width;
    auto to = static_cast<std::size_t>((first_ + i) * means_.width);
    for (Index x = 0; x < means_.width; ++x, ++from, ++to) {
      if (from->count == 0) continue;  // beyond the bounds
      for (std::size_t c = 0; c < 3; ++c)
        means_.rgb[to][c] =
            static_cast<std::uint16_t>((from->rgb[c] * CellMeans::kOne + from->count / 2) / from->count);
      means_.constant[to] = from->least == from->most;
    }
  }

  CellMeans& means_;
  Index pixels_x_, pixels_y_, first_ = 0;
  std::vector<Index> column_, row_;
  std::vector<Sum> sums_{};
};

}  // namespace

CellMeans cell_means(const Slide& slide, Index level, Index columns, Index rows) {
  const Level& of = slide.levels()[static_cast<std::size_t>(level)];
  if (columns < 1 || rows < 1 || columns > of.width || rows > of.height)
    throw ArgumentError(
        message("cell_means: ", columns, " x ", rows, " cells of a level of ", of.width, " x ", of.height, " pixels"));
  CellMeans means{columns, rows};
  constexpr std::uint16_t white = 255 * CellMeans::kOne;
  means.rgb.assign(static_cast<std::size_t>(means.cells()), {white, white, white});
  means.constant.assign(static_cast<std::size_t>(means.cells()), 1);
  Averages averages(means, of.width, of.height);
  const Rectangle bounds = bounds_at(slide, of);
  const Index down = block_of(kBlockRows, of.tile_height), across = block_of(kBlockColumns, of.tile_width);
  std::vector<std::uint8_t> rgb;
  for (Index top = bounds.y; top < bounds.y + bounds.height;) {
    const Index bottom = std::min(bounds.y + bounds.height, (top / down + 1) * down);
    for (Index left = bounds.x; left < bounds.x + bounds.width;) {
      const Index right = std::min(bounds.x + bounds.width, (left / across + 1) * across);
      const Rectangle block{left, top, right - left, bottom - top};
      rgb.resize(static_cast<std::size_t>(block.width * block.height * 3));
      slide.read(level, block, rgb.data());
      averages.add(block, rgb.data());
      left = right;
    }
    averages.finish(bottom);
    top = bottom;
  }
  averages.finish_all();
  return means;
}

}  // namespace nucdet::slide::detail
