#pragma once
#include <filesystem>
#include <string>

#include "nucdet/io/atomic_file.hpp"

namespace nucdet::io::detail {

/// A file for a library that writes to a name, beside the target and gone with the process: what it holds is copied
/// into an AtomicFile. Throws IoError.
class ScratchFile {
 public:
  explicit ScratchFile(const std::filesystem::path& target);
  ScratchFile(const ScratchFile&) = delete;
  ScratchFile& operator=(const ScratchFile&) = delete;
  ~ScratchFile();

  const std::string& name() const { return name_; }
  /// The library has opened it: from now on it has no name, so that nothing is left if the process dies.
  void forget_name();
  void copy_to(AtomicFile& file);

 private:
  [[noreturn]] void fail(int error) const;

  std::string target_, name_;
  int file_ = -1;
};

}  // namespace nucdet::io::detail
