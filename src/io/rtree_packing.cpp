#ifdef NUCDET_WITH_SQLITE
#include "rtree_packing.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <span>
#include <string>

namespace nucdet::io::detail {

namespace {

// As the module lays out a tree of four floats in pages of 4096 bytes.
constexpr std::size_t kCellBytes = 8 + 4 * 4, kMostCells = 51, kNodeBytes = 4 + kMostCells * kCellBytes;
constexpr std::int64_t kRoot = 1;

template <class T>
void append(std::string& bytes, T value) {
  for (int shift = 8 * (static_cast<int>(sizeof(T)) - 1); shift >= 0; shift -= 8)
    bytes += static_cast<char>(value >> shift & 255);
}

std::string node_of(std::span<const RtreeRow> cells, std::uint16_t depth) {
  std::string bytes;
  append(bytes, depth);
  append(bytes, static_cast<std::uint16_t>(cells.size()));
  for (const RtreeRow& cell : cells) {
    append(bytes, static_cast<std::uint64_t>(cell.id));
    for (const float v : {cell.min_x, cell.max_x, cell.min_y, cell.max_y})
      append(bytes, std::bit_cast<std::uint32_t>(v));
  }
  bytes.resize(kNodeBytes);
  return bytes;
}

RtreeRow box_of(std::int64_t node, std::span<const RtreeRow> cells) {
  RtreeRow box = cells[0];
  box.id = node;
  for (const RtreeRow& cell : cells) {
    box.min_x = std::min(box.min_x, cell.min_x), box.max_x = std::max(box.max_x, cell.max_x);
    box.min_y = std::min(box.min_y, cell.min_y), box.max_y = std::max(box.max_y, cell.max_y);
  }
  return box;
}

/// Part i of n, of shares that differ by one at most.
std::span<RtreeRow> share(std::span<RtreeRow> rows, std::size_t i, std::size_t n) {
  const std::size_t begin = rows.size() * i / n, end = rows.size() * (i + 1) / n;
  return rows.subspan(begin, end - begin);
}

std::size_t nodes_for(std::size_t rows) { return (rows + kMostCells - 1) / kMostCells; }

/// Cuts the rows into upright slices and those into nodes.
template <class Take>
void tile(std::span<RtreeRow> rows, Take&& take) {
  std::sort(rows.begin(), rows.end(), [](const RtreeRow& a, const RtreeRow& b) {
    return a.min_x + a.max_x != b.min_x + b.max_x ? a.min_x + a.max_x < b.min_x + b.max_x : a.id < b.id;
  });
  const auto slices = static_cast<std::size_t>(std::ceil(std::sqrt(static_cast<double>(nodes_for(rows.size())))));
  for (std::size_t s = 0; s < slices; ++s) {
    const std::span<RtreeRow> slice = share(rows, s, slices);
    std::sort(slice.begin(), slice.end(), [](const RtreeRow& a, const RtreeRow& b) {
      return a.min_y + a.max_y != b.min_y + b.max_y ? a.min_y + a.max_y < b.min_y + b.max_y : a.id < b.id;
    });
    const std::size_t nodes = nodes_for(slice.size());
    for (std::size_t i = 0; i < nodes; ++i) take(share(slice, i, nodes));
  }
}

void insert_owners(const Database& db, const char* sql, std::int64_t first, std::span<const std::int64_t> owners) {
  Statement insert(db, sql);
  for (std::size_t i = 0; i < owners.size(); ++i) {
    insert.bind(1, first + static_cast<std::int64_t>(i)), insert.bind(2, owners[i]);
    insert.run();
  }
}

}  // namespace

RtreeRow rtree_row(std::int64_t id, double min_x, double max_x, double min_y, double max_y) {
  constexpr float far = std::numeric_limits<float>::infinity();
  const auto down = [](double v) {
    const auto f = static_cast<float>(v);
    return static_cast<double>(f) > v ? std::nextafter(f, -far) : f;
  };
  const auto up = [](double v) {
    const auto f = static_cast<float>(v);
    return static_cast<double>(f) < v ? std::nextafter(f, far) : f;
  };
  return {id, down(min_x), up(max_x), down(min_y), up(max_y)};
}

void fill_rtree(const Database& db, std::vector<RtreeRow> rows) {
  if (rows.empty()) return;
  std::vector<std::int64_t> leaves(rows.size()), parents;  // of row i + 1; of node i + 2, the first after the root
  Statement insert(db, "INSERT INTO rtree_node VALUES (?, ?)");
  std::int64_t next = kRoot + 1;
  std::uint16_t depth = 0;
  const auto own = [&](std::span<const RtreeRow> cells, std::int64_t node) {
    for (const RtreeRow& cell : cells)
      (depth == 0 ? leaves[static_cast<std::size_t>(cell.id - 1)] : parents[static_cast<std::size_t>(cell.id - 2)]) =
          node;
  };
  for (; rows.size() > kMostCells; ++depth) {
    std::vector<RtreeRow> above;
    tile(rows, [&](std::span<const RtreeRow> cells) {
      const std::string node = node_of(cells, 0);
      insert.bind(1, next), insert.bind_bytes(2, node);
      insert.run();
      own(cells, next);
      above.push_back(box_of(next++, cells));
    });
    parents.resize(static_cast<std::size_t>(next - 2));
    rows = std::move(above);
  }
  own(rows, kRoot);
  const std::string root = node_of(rows, depth);
  Statement update(db, "UPDATE rtree_node SET data = ? WHERE nodeno = 1");
  update.bind_bytes(1, root);
  update.run();
  insert_owners(db, "INSERT INTO rtree_rowid VALUES (?, ?)", 1, leaves);
  insert_owners(db, "INSERT INTO rtree_parent VALUES (?, ?)", kRoot + 1, parents);
}

}  // namespace nucdet::io::detail
#endif
