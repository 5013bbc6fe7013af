#include <cstdlib>

#include "nccl_api.hpp"

namespace nucdet::cuda {

const NcclApi& nccl_api() {
  static const NcclApi api = [] {
    const char* const chosen = std::getenv("NUCDET_NCCL");
    return load_nccl(chosen != nullptr && *chosen != '\0' ? chosen : "libnccl.so.2");
  }();
  return api;
}

}  // namespace nucdet::cuda
