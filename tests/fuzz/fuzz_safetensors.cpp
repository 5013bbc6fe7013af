#include <cstdint>
#include <cstdlib>

#include "nucdet/io/safetensors.hpp"

/// Any bytes: either a file whose tensors hold exactly their bytes, or an IoError.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto file = nucdet::io::parse_safetensors(std::as_bytes(std::span(data, size)), "fuzz");
    std::size_t bytes = 0;
    for (const auto& tensor : file.tensors) {
      bytes += tensor.data.size();
      if (file.find(tensor.name) != &tensor) std::abort();
      if (tensor.dtype[0] == 'F' && tensor.dtype[1] != '8') nucdet::io::to_doubles(tensor);
    }
    if (bytes > size) std::abort();
  } catch (const nucdet::IoError&) {}
  return 0;
}
