#include "feature_ids.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

#include "nucdet/core/content_hash.hpp"

namespace nucdet::io::detail {

FeatureIds::FeatureIds(std::string_view image, std::span<const Point> points)
    : points_(points), repeated_(points.size()) {
  ContentHash hash;
  hash.add(image);
  seed_ = mixed(hash.value());
  std::vector<std::uint32_t> order(points.size());
  std::iota(order.begin(), order.end(), 0u);
  std::sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) {
    const Point p = points[a], q = points[b];
    return p.x != q.x ? p.x < q.x : p.y != q.y ? p.y < q.y : a < b;
  });
  for (std::size_t i = 1; i < order.size(); ++i)
    if (points[order[i]] == points[order[i - 1]]) repeated_[order[i]] = repeated_[order[i - 1]] + 1;
}

void FeatureIds::append(std::string& text, std::size_t i) const {
  std::uint64_t half[2];
  for (std::uint64_t h = 0; h < 2; ++h) {
    std::uint64_t v = mixed(seed_ + h);
    // Adding 0 makes one of the two zeros.
    for (const double at : {points_[i].x + 0.0, points_[i].y + 0.0}) v = mixed(v + std::bit_cast<std::uint64_t>(at));
    half[h] = mixed(v + repeated_[i]);
  }
  half[0] = (half[0] & ~std::uint64_t{0xF000}) | 0x8000;                       // version 8
  half[1] = (half[1] & ~(std::uint64_t{3} << 62)) | (std::uint64_t{2} << 62);  // variant of RFC 9562
  std::string digits = hexadecimal(half[0]) + hexadecimal(half[1]);
  for (const std::size_t at : {20u, 16u, 12u, 8u}) digits.insert(at, 1, '-');
  text += digits;
}

}  // namespace nucdet::io::detail
