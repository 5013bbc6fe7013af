#include "cell_means.hpp"

#include <algorithm>

#include "nucdet/core/error.hpp"

#include "blocks.hpp"

namespace nucdet::slide::detail {

namespace {

struct Sum {
  std::uint64_t rgb[3] = {};
  std::uint64_t count = 0;
  std::uint8_t least = 255, most = 0;

  void add(const std::uint8_t* pixels, Index many) {
    std::uint32_t r = 0, g = 0, b = 0;  // of a row of one block: no more than 2^32 / 255 pixels
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

CellMeans cell_means(const Slide& slide, Index level, Index columns, Index rows, const Watch& watch) {
  const Level& of = slide.levels()[static_cast<std::size_t>(level)];
  if (columns < 1 || rows < 1 || columns > of.width || rows > of.height)
    throw ArgumentError(
        message("cell_means: ", columns, " x ", rows, " cells of a level of ", of.width, " x ", of.height, " pixels"));
  CellMeans means{columns, rows};
  constexpr std::uint16_t white = 255 * CellMeans::kOne;
  means.rgb.assign(static_cast<std::size_t>(means.cells()), {white, white, white});
  means.constant.assign(static_cast<std::size_t>(means.cells()), CellMeans::kBeyond);
  Averages averages(means, of.width, of.height);
  for_blocks(slide, level, at_level(slide.bounds(), of), watch, [&](const Rectangle& block, const std::uint8_t* rgb) {
    averages.finish(block.y);
    averages.add(block, rgb);
  });
  averages.finish_all();
  return means;
}

}  // namespace nucdet::slide::detail
