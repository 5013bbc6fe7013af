#include "nucdet/cpu/kernels.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/version.hpp"

#include "call.hpp"
#include "nucdet.h"

/// What the library is and has.
const char* nucdet_version(void) { return NUCDET_VERSION_STRING; }

const char* nucdet_instruction_set(void) { return nucdet::cpu::best_kernels()->name; }

const char* nucdet_openslide_version(void) {
  const char* found = nullptr;
  nucdet::capi::guarded([&] {
    static const std::string version = nucdet::slide::openslide_version();
    if (!version.empty()) found = version.c_str();
  });
  return found;
}

int32_t nucdet_cuda_devices(void) {
  std::int32_t count = 0;
#ifdef NUCDET_WITH_CUDA
  nucdet::capi::guarded([&] { count = static_cast<std::int32_t>(nucdet::cuda::availability().devices.size()); });
#endif
  return count;
}
