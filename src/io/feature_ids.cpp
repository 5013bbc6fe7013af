#include "feature_ids.hpp"

#include <algorithm>
#include <bit>
#include <numeric>

namespace nucdet::io::detail {

namespace {

/// The finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
std::uint64_t mixed(std::uint64_t v) {
  v = (v ^ (v >> 30)) * 0xBF58476D1CE4E5B9u;
  v = (v ^ (v >> 27)) * 0x94D049BB133111EBu;
  return v ^ (v >> 31);
}

std::uint64_t hash_of(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return mixed(hash);
}

}  // namespace

FeatureIds::FeatureIds(std::string_view image, std::span<const Point> points)
    : seed_(hash_of(image)), points_(points), repeated_(points.size()) {
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
  for (int digit = 0; digit < 32; ++digit) {
    if (digit == 8 || digit == 12 || digit == 16 || digit == 20) text += '-';
    text += "0123456789abcdef"[half[digit / 16] >> (60 - 4 * (digit % 16)) & 15];
  }
}

}  // namespace nucdet::io::detail
