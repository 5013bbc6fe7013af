#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nucdet/core/point.hpp"

namespace nucdet::io::detail {

/// UUIDs of nuclei (RFC 9562, version 8: made by a rule of our own). They depend on the image's name and the position
/// alone, so that they stay when other nuclei come or go; of several at one place, on their order.
class FeatureIds {
 public:
  FeatureIds(std::string_view image, std::span<const Point> points);

  /// 36 characters.
  void append(std::string& text, std::size_t i) const;

 private:
  std::uint64_t seed_;
  std::span<const Point> points_;
  std::vector<std::uint32_t> repeated_;  // how many before it are at the same place
};

}  // namespace nucdet::io::detail
