#include "label_mask.hpp"

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

Annotations label_centroids(std::span<const std::byte>, std::string_view where) {
  throw IoError(message(where, ": label masks are not read yet"));
}

}  // namespace nucdet::io::detail
