#pragma once
#include <cstddef>
#include <variant>
#include <vector>

#include "nucdet/data/image.hpp"
#include "nucdet/data/image_view.hpp"

#include "nucdet.h"

namespace nucdet::capi {

/// A caller's pixels as detectors take them: in place where they lie so, else copied.
class Pixels {
 public:
  /// channels: that the network takes. Throws ArgumentError and ShapeError for what is no image, or none of a network
  /// with so many channels. The caller's pixels must outlive it.
  Pixels(const nucdet_image& image, Index channels);

  /// Calls body with a data::ImageView, or with an Image where the values are floats.
  template <class Body>
  auto visit(const Body& body) const {
    return std::visit(body, pixels_);
  }

 private:
  std::vector<std::byte> packed_{};
  std::variant<data::ImageView, Image> pixels_{};
};

}  // namespace nucdet::capi
