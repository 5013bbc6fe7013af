#include "run_folder.hpp"

#include <algorithm>
#include <filesystem>
#include <vector>

#include "nucdet/io/provenance.hpp"
#include "nucdet/io/safetensors.hpp"

#include "training_metadata.hpp"

namespace nucdet::models {

namespace {

namespace fs = std::filesystem;

/// best.safetensors and the snapshots that are there, in the order of their names.
std::vector<fs::path> weights_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator i(folder, error), end; !error && i != end; i.increment(error)) {
    const std::string name = i->path().filename().string();
    if (name == "best.safetensors" || (name.starts_with("snapshot-") && name.ends_with(".safetensors")))
      found.push_back(i->path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

void check_run_folder(const TrainingConfiguration& o) {
  const fs::path folder = o.out;
  std::vector<fs::path> names = weights_in(folder);
  names.insert(names.begin(), folder / "last.safetensors");
  for (const char* name : {"log.csv", "loss.svg", "f1.svg"}) names.push_back(folder / name);
  for (const fs::path& path : names) {
    std::error_code none;
    if (!fs::exists(fs::symlink_status(path, none))) continue;
    if (!o.resume)
      throw ArgumentError(message(
          path.string(), " is there already: resume (--resume) goes on with it, another folder (--out) starts anew"));
    if (fs::exists(path, none) && !io::made_by_nucdet(path))
      throw ArgumentError(message(path.string(),
                                  " is there and not of a training: move it away, or choose another folder "
                                  "(--out)"));
  }
}

void check_weights_are_of(const io::Metadata& run, const TrainingConfiguration& o) {
  for (const fs::path& path : weights_in(o.out))
    check_same_run(io::read_safetensors(path).metadata, run, path.string(), o.schedule != "cosine");
}

}  // namespace nucdet::models
