#include "cell_shapes.hpp"

#include <algorithm>
#include <cmath>

namespace nucdet::slide::detail {

namespace {

/// Calls visit(cells of a piece, whether it touches the border) for each piece of cells of the same `kind`.
template <class Visit>
void visit_pieces(const Cells& cells, Index width, bool kind, bool corners, const Visit& visit) {
  const Index height = static_cast<Index>(cells.size()) / width;
  std::vector<std::uint8_t> seen(cells.size());
  std::vector<Index> piece;
  const auto wanted = [&](Index at) {
    const auto i = static_cast<std::size_t>(at);
    return seen[i] == 0 && (cells[i] != 0) == kind;
  };
  for (Index start = 0; start < width * height; ++start) {
    if (!wanted(start)) continue;
    bool border = false;
    piece.assign(1, start);
    seen[static_cast<std::size_t>(start)] = 1;
    for (std::size_t next = 0; next < piece.size(); ++next) {
      const Index x = piece[next] % width, y = piece[next] / width;
      border = border || x == 0 || y == 0 || x == width - 1 || y == height - 1;
      for (Index j = std::max<Index>(0, y - 1); j <= std::min(height - 1, y + 1); ++j)
        for (Index i = std::max<Index>(0, x - 1); i <= std::min(width - 1, x + 1); ++i)
          if ((corners || i == x || j == y) && wanted(j * width + i)) {
            seen[static_cast<std::size_t>(j * width + i)] = 1;
            piece.push_back(j * width + i);
          }
    }
    visit(piece, border);
  }
}

/// Sets in `to` what lies within `reach` of a set cell of a row.
void spread(const std::uint8_t* from, std::uint8_t* to, Index width, Index reach) {
  Index set_until = 0;  // what was set already, exclusive
  for (Index x = 0; x < width; ++x) {
    if (from[x] == 0) continue;
    const Index begin = std::max({Index{0}, x - reach, set_until}), end = std::min(width, x + reach + 1);
    if (begin < end) std::fill(to + begin, to + end, std::uint8_t{1});
    set_until = end;
  }
}

}  // namespace

Cells grown(const Cells& cells, Index width, double radius) {
  const Index height = static_cast<Index>(cells.size()) / width, down = static_cast<Index>(std::floor(radius));
  Cells result(cells.size());
  for (Index dy = -std::min(down, height); dy <= std::min(down, height); ++dy) {
    const auto reach = static_cast<Index>(std::sqrt(radius * radius - static_cast<double>(dy * dy)));
    for (Index y = std::max<Index>(0, -dy); y < std::min(height, height - dy); ++y)
      spread(cells.data() + y * width, result.data() + (y + dy) * width, width, std::min(reach, width));
  }
  return result;
}

void drop_specks(Cells& grown, const Cells& cells, Index width, double least) {
  Cells kept = grown;
  visit_pieces(grown, width, true, true, [&](const std::vector<Index>& piece, bool) {
    const auto set =
        std::count_if(piece.begin(), piece.end(), [&](Index i) { return cells[static_cast<std::size_t>(i)] != 0; });
    if (static_cast<double>(set) < least)
      for (const Index i : piece) kept[static_cast<std::size_t>(i)] = 0;
  });
  grown = std::move(kept);
}

void fill_holes(Cells& cells, Index width, double least) {
  Cells filled = cells;
  visit_pieces(cells, width, false, false, [&](const std::vector<Index>& piece, bool border) {
    if (!border && static_cast<double>(piece.size()) < least)
      for (const Index i : piece) filled[static_cast<std::size_t>(i)] = 1;
  });
  cells = std::move(filled);
}

}  // namespace nucdet::slide::detail
