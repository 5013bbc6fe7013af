#pragma once
#include <string>
#include <string_view>

#include "nucdet/core/device.hpp"
#include "nucdet/core/ranks.hpp"

/// Where to compute, by name.
namespace nucdet::models {

/// What a name stands for on this machine.
struct NamedDevice {
  bool cuda = false;
  int number = 0;
  std::string about{};  ///< of a GPU its name; of the processor, where "auto" came to it, why there is no GPU
  std::string cudnn{};  ///< of a GPU without cuDNN, why
};

/// "auto" takes a GPU that can be used, else the processor; "cpu"; "cuda" and "cuda:N" take that or throw CudaError,
/// saying why. Throws ArgumentError for other names. ranks: processes that train together and all ask, or null; for
/// "auto" and "cuda" each gets a GPU of its own (train::own_gpu), while "cuda:N" is the same number for all. Throws
/// RanksError, naming a rank, where they ask for different ones.
NamedDevice device_named(const std::string& name, Ranks* ranks = nullptr);

/// "fp32", "tf32", "bf16", "fp16". Throws ArgumentError for other names.
Precision precision_named(std::string_view name);

}  // namespace nucdet::models
