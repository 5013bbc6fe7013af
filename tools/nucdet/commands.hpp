#pragma once
#include <optional>
#include <string>
#include <vector>

#include "nucdet/data/augment.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/models/networks.hpp"
#include "nucdet/models/pixel_size.hpp"
#include "nucdet/models/thresholds.hpp"
#include "nucdet/models/training.hpp"

/// The subcommands: what each is asked (filled in by main.cpp from the command line), and the function that does it.
/// Each returns the program's exit code: done, some inputs failed, stopped early. Everything else is an exception.
namespace nucdet::program {

/// Where a command computes, and in what.
struct DeviceOptions {
  std::string device = "auto";     ///< auto, cpu, cuda or cuda:N
  std::string precision = "fp32";  ///< fp32, tf32, bf16 or fp16
  bool fuse = true;
  std::string kernels = "auto";  ///< the processor's: auto, or one of cpu::available_kernels()
  bool exact = false;            ///< the processor's: plain sums
  int threads = 0;
};

/// A training, and where it computes.
struct TrainOptions : models::TrainingConfiguration {
  DeviceOptions device;
  int rank_patience = 60;            ///< seconds for which another rank is waited for: see mpi::MpiSettings
  bool quiet = false, json = false;  ///< json: the result as JSON on the standard output; so below
};
int train(const TrainOptions&);

/// How nuclei are told from the rest of the map.
struct ThresholdOptions {
  models::Thresholds replaced;  ///< instead of those that the model came with
  /// Instead of peaks: centroids of the regions that score at least this (0.5 for a pixel classifier).
  std::optional<double> components;
};

struct DetectOptions {
  std::vector<std::string> inputs;
  std::string model, out, split;
  ThresholdOptions thresholds;
  models::AskedPixelSize pixel_size;          ///< instead of the manifest's and the files'
  std::optional<Index> page;                  ///< of a file of several pages
  std::vector<Index> region;                  ///< x, y, width, height: only there; empty: everywhere
  std::string areas;                          ///< annotations with regions and ignored areas, or a folder of them
  Index tile = detect::TileGrid::kAutomatic;  ///< reference pixels along a side of a tile's core
  int average = 1;                            ///< ways to look at the image whose mean is taken: 1 or 8
  bool overlay = false, geojson = false, gzip = false, ids = false, store = false, density = false;
  std::vector<double> offset;     ///< x, y that GeoJSON adds: where a crop lies in its slide
  std::string summary;            ///< a CSV with a line for each image
  std::string origin = "level0";  ///< of slides: what positions count from, level0 or bounds
  std::string tissue;             ///< of slides: auto, all, or a mask's file; empty: auto, or the regions of `areas`
  Index ahead = 2;                ///< of slides: tiles that are read ahead
  Index memory = 0;               ///< MB that the process may take; 0: no limit
  bool recursive = false, skip_existing = false, overwrite = false, json = false, quiet = false;
  std::string shard;                       ///< I/N; empty: that of a task of a job array, else all
  std::string report;                      ///< lines of JSON, one for each image when it is done
  std::optional<std::size_t> most_errors;  ///< more images that failed end the call
  bool full_hash = false;                  ///< images are known again by all of their bytes
  DeviceOptions device;
};
int detect(const DetectOptions&);

struct MergeOptions {
  std::vector<std::string> runs;  ///< reports, and folders of reports
  std::string out;                ///< a folder
  std::string list, split;        ///< the images that the run was over
  bool recursive = false, json = false;
};
/// The reports of a run's tasks as one table.
int merge(const MergeOptions&);

struct RunPageOptions {
  std::vector<std::string> runs;  ///< reports, and folders of reports
  std::string out, title;
  Index thumbnail = 160;  ///< pixels along the longer side; 0: none
};
/// The reports of a run's tasks as a page to look at.
int run_page(const RunPageOptions&);

struct EvaluateOptions {
  std::string manifest, model, predictions, out, split = "test", matcher = "hungarian";
  std::string areas, tissue, origin = "level0";  ///< as those of DetectOptions; areas go before those of annotations
  ThresholdOptions thresholds;
  double gate = 16;
  Index tile = detect::TileGrid::kAutomatic;
  int average = 1;
  models::AskedPixelSize pixel_size;  ///< instead of the manifest's and the files'
  bool overlays = false, recursive = false, strict = false, json = false, overwrite = false, quiet = false;
  DeviceOptions device;
};
int evaluate(const EvaluateOptions&);

struct OverlayOptions {
  std::string image, detections, truth, out;
  models::AskedPixelSize pixel_size;  ///< instead of the file's
  double gate = 16;
  int zoom = 1;
  bool json = false;
};
int overlay(const OverlayOptions&);

struct AugmentSheetOptions {
  std::string image, points, out;
  data::StandardAugmentation augment;
  Index crop = 192;
  int draws = 24, columns = 6;
  models::AskedPixelSize pixel_size;  ///< instead of the file's
  std::uint64_t seed = 1;
  bool json = false;
};
/// One picture of many draws.
int augment(const AugmentSheetOptions&);

struct ConvertOptions {
  std::string in, out;        ///< out: a file, or a folder for NAME.csv
  std::string image;          ///< that the points belong to
  std::optional<double> mpp;  ///< um a pixel, for points in um
  bool overwrite = false, json = false;
};
/// Annotations of any format to any other.
int convert(const ConvertOptions&);

struct ManifestOptions {
  std::string images, annotations, out;  ///< two folders, and the manifest to write
  std::string patient, organ;            ///< regular expressions over paths, whose first group is the name
  std::string split;                     ///< shares of train, val and test: "70,15,15"; empty: no splits
  std::uint64_t seed = 1;
  int threads = 0;
  bool recursive = false, overwrite = false, json = false;
};
/// Pairs images and annotations, and tells what a training would trip over.
int manifest(const ManifestOptions&);

struct SynthOptions {
  std::string out;
  int images = 24;
  Index size = 256;
  double density = 1500;  ///< nuclei per 1000 x 1000 pixels
  std::uint64_t seed = 1;
  bool json = false;
};
int synth(const SynthOptions&);

struct SummaryOptions {
  models::NetworkChoice network;
  std::string model, dot;  ///< dot: a file for the drawing; "-": the standard output
  Index height = 512, width = 512;
  bool json = false;
};
int summary(const SummaryOptions&);

struct ExportOptions {
  std::string model, out;
  std::string format = "onnx";
  std::string input = "pixels";  ///< pixels or normalized: onnx::Input
  bool json = false;
};
/// A network as a file for other programs.
int export_network(const ExportOptions&);

struct BenchOptions {
  models::NetworkChoice network;
  std::string model, image;
  std::optional<std::string> json;  ///< a file for the figures; empty: the standard output, in place of the table
  Index height = 1024, width = 1024, batch = 4, crop = 200;
  double seconds = 2;  ///< spent on each measurement
  bool measure = false;
  DeviceOptions device;
};
int bench(const BenchOptions&);

struct StudyOptions {
  std::string name;               ///< baseline, equal, cross, finetune, mix, gamma or lambda
  std::vector<std::string> data;  ///< manifests or folders; finetune, mix, gamma and lambda use the first alone
  std::string out;
  std::string budget = "full";        ///< full: the paper's; overnight; cpu: what shows the effect within an hour
  std::vector<std::string> organs;    ///< those to use; empty: all. Of equal: of the first data set
  std::vector<std::string> targets;   ///< of finetune, mix, gamma and lambda; empty: the budget's
  std::vector<std::string> networks;  ///< of baseline and equal; empty: all
  models::NetworkChoice network{.name = "micronet", .base = 0};  ///< of the others; base 0: the budget's
  std::vector<double> gammas, lambdas;
  std::optional<std::int64_t> iterations;  ///< instead of the budget's
  std::optional<int> seeds;                ///< empty: 1, in the baseline some more by the budget
  std::uint64_t seed = 1;                  ///< the first
  std::string shard;                       ///< I/N; empty: that of a task of a job array, else all
  bool plan = false;                       ///< say what there is to train, and do nothing
  bool report_only = false;                ///< train nothing: the report of what is there
  DeviceOptions device;
  bool quiet = false;
};
int run_study(const StudyOptions&);

struct SlideInfoOptions {
  std::string slide;
  bool json = false;
};
/// Levels, pixel size, bounds and the pictures beside a slide.
int slide_info(const SlideInfoOptions&);

struct SlideThumbnailOptions {
  std::string slide, out;
  std::string associated;  ///< a picture beside the slide, in place of the slide itself
  Index longest = 1024;    ///< pixels of the longer side, at most
  bool json = false;
};
/// The slide, or a picture beside it, as a PNG.
int slide_thumbnail(const SlideThumbnailOptions&);

struct DoctorOptions {
  bool json = false;
};
/// What this program can run on, and why not on a GPU.
int doctor(const DoctorOptions&);

}  // namespace nucdet::program
