#pragma once
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "nucdet/version.hpp"

/// Which files nucdet made, by what they say inside, whatever they are called. It reads some kB of a file.
namespace nucdet::io {

/// What nucdet writes as its own. Data sets of `nucdet synth` and converted points are the user's like any others: they
/// are `none`.
enum class Product {
  none,
  detections,  ///< of one image: CSV, JSON, GeoJSON, annotation store, the table of its density
  scores,      ///< JSON and tables of an evaluation
  counts,      ///< of many images: a summary, the totals of a run
  figures,     ///< JSON of a bench, of a training in a study
  drawing,     ///< PNG: overlays, sheets of augmentation
  chart,       ///< SVG
  graph,       ///< a network in Graphviz's language
  network,     ///< in ONNX
  report,      ///< of a study, of a run
  log,         ///< of a training, of a run over many images
  weights      ///< and checkpoints
};

/// What a comment, or a PNG's "Software", holds in a file that nucdet has made.
constexpr std::string_view kMadeBy = "nucdet " NUCDET_VERSION_STRING;

/// `none` also for what is missing, cannot be read or is no plain file.
Product product_of(const std::filesystem::path& path);
/// "a chart of nucdet", for messages.
std::string_view name_of(Product product);

inline bool made_by_nucdet(const std::filesystem::path& path) { return product_of(path) != Product::none; }

/// What the JSON of a detection or an evaluation says of a file that was written with it (`DetectionReport::files`),
/// itself among them.
enum class Record {
  none,     ///< there is no such JSON
  unnamed,  ///< it does not name the file, as those of version 0.1 do not
  same,     ///< the file is as it was written
  earlier,  ///< it is as an earlier call wrote it, which the latest one did not, or was ended before it could
  changed,  ///< it is not: somebody has worked on it
};
/// By the JSON beside: `scores.json` of scores, `a.json` of `a.csv`, `a.overlay.png`, `a.json`. Throws IoError if the
/// file cannot be read.
Record record_of(const std::filesystem::path& path);

/// Takes out of the records what AtomicFiles::records said of replaced files: they are replaced now. Whether there was
/// any, so that the JSON is to be written once more.
bool forget_replaced(std::map<std::string, std::string>& records);

/// What a new JSON says of files beside it that this call does not write: those that nobody has worked on, so that they
/// are known the next time. To be asked before the old JSON is replaced.
std::map<std::string, std::string> earlier_records(std::span<const std::filesystem::path> files);

}  // namespace nucdet::io
