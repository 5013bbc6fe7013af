#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/io/csv.hpp"
#include "nucdet/io/provenance.hpp"

/// What keeps a user's files from the program.
namespace nucdet::program {

/// A command tells it all that it reads and all that it is going to write, in any order, before it begins to work.
/// Throws ArgumentError, naming the file and what to do:
///  * what is written is never what is read, by whatever name or link, nor written twice;
///  * a file that nucdet did not make is never replaced, and one that it made only by another of its kind: a drawing by
///    a drawing (io::Product). Weights are replaced by the training that goes on with them alone;
///  * detections and scores are replaced where the JSON that goes with them has a record that nobody has worked on
///    them since, else with --overwrite.
class OutputGuard {
 public:
  explicit OutputGuard(bool overwrite = false) : overwrite_(overwrite) {}

  /// A file or folder that is read; an empty path is none.
  void input(const std::filesystem::path& path);
  /// The images of a data set, and their annotations.
  void inputs(const std::vector<io::ManifestEntry>& entries);
  /// A manifest or a folder of images, and all that it names. Throws IoError where it cannot be read.
  void data_set(const std::filesystem::path& manifest);

  /// A file that will be written, as what. An empty path is none.
  void output(const std::filesystem::path& file, io::Product product);
  /// Data for the user: a file that must not be there yet, unless it may be overwritten.
  void new_output(const std::filesystem::path& file) { output(file, io::Product::none); }
  /// A file of a folder that the command looks after by itself, as a training does: it is only not to be an input.
  void own_output(const std::filesystem::path& file);
  /// The folder that files are written to, there or not.
  void folder(const std::filesystem::path& folder) const;

  /// Looks at the outputs once more, right before they are written: the work may have taken hours.
  void check_again() const;

 private:
  using Paths = std::map<std::string, std::filesystem::path>;

  void check_replaced(const std::filesystem::path& file, io::Product product) const;

  bool overwrite_;
  std::vector<std::pair<std::filesystem::path, io::Product>> products_{};
  Paths inputs_{}, outputs_{};  // by what tells files apart: see guard.cpp
};

}  // namespace nucdet::program
