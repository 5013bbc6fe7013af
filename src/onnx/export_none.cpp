// nucdet::onnx where ONNX's library was not found.
#include "nucdet/onnx/export.hpp"

namespace nucdet::onnx {

bool available() { return false; }

Exported to_onnx(const nn::Model<Cpu>&, const ExportOptions&) {
  throw Error(
      "nucdet was built without ONNX: install ONNX's and protobuf's C++ libraries (on Debian libonnx-dev and "
      "libprotobuf-dev) and build again with -DNUCDET_ONNX=ON");
}

}  // namespace nucdet::onnx
