#include "default_model.hpp"

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

std::string default_model() {
  namespace fs = std::filesystem;
  if (const char* named = std::getenv("NUCDET_MODEL"); named != nullptr && *named != '\0') return named;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  for (fs::path folder = program.parent_path(); folder.has_relative_path(); folder = folder.parent_path())
    for (const char* place : {"share/nucdet/models", "models"})
      if (const fs::path file = folder / place / "nuclei-he.safetensors"; fs::is_regular_file(file, error))
        return file.string();
  throw IoError(message("no --model was given, and models/nuclei-he.safetensors is neither beside ", program.string(),
                        " nor above it; NUCDET_MODEL may name one"));
}

}  // namespace nucdet::program
