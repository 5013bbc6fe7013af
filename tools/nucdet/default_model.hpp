#pragma once
#include <string>

namespace nucdet::program {

/// The model that comes with the program: models/nuclei-he.safetensors beside it, installed or in the source tree, or
/// what the environment's NUCDET_MODEL names. Throws IoError, saying where it was sought.
std::string default_model();

}  // namespace nucdet::program
