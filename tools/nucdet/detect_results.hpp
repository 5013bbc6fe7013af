#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "nucdet/io/density.hpp"
#include "nucdet/io/json.hpp"
#include "nucdet/io/picture.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/io/summary_csv.hpp"

#include "commands.hpp"
#include "inputs.hpp"

/// What `detect` leaves of an image.
namespace nucdet::program {

/// The files that `detect` writes for an image; the last one is the JSON, which tells of the others.
std::vector<std::filesystem::path> result_files(const DetectOptions& options, const Input& input);

/// How results are drawn on what was looked at.
struct ResultDrawings {
  std::function<Image(const io::DetectionReport&)> overlay{};  ///< of a slide: its overview
  std::function<Image(const io::DensityMap&)> density{};       ///< none of a slide
};
/// On a picture, which must outlive them.
ResultDrawings drawings_on(const io::Picture& picture);

/// Writes them: all, or none. Adds to the report what its JSON tells of the others. Throws IoError.
void write_results(const DetectOptions& options, const Input& input, const ResultDrawings& drawings,
                   io::DetectionReport& report);
/// What such a file is to those that ask who made it.
io::Product product_of_result(const std::filesystem::path& file);

/// Whether one of an image's results is there and somebody has worked on it since.
bool is_worked_on(const DetectOptions& options, const Input& input);

/// Whether an image's results are there and came about by the same key, so that nothing is to be done. What was written
/// later than the JSON that tells of it is looked at byte by byte: somebody may have worked on it.
bool is_done(const DetectOptions& options, const Input& input, const std::string& key);

/// What the JSON of an image's results says of it before the nuclei.
struct KnownResult {
  io::SummaryRow row{};
  std::string device{};  ///< that computed it
};
/// Nothing of it where it cannot be read.
KnownResult known_result(const std::filesystem::path& json);

}  // namespace nucdet::program
