#include "options.hpp"

#include "validators.hpp"

namespace nucdet::program {

void add_network(CLI::App& app, models::NetworkChoice& n) {
  app.add_option(
         "--net,--network", n.name,
         "micronet-lite: half the resolution, a quarter of the cost; micronet: the paper's; micronet-paper: its words "
         "where they differ from the authors' code")
      ->capture_default_str()
      ->check(CLI::IsMember(models::network_names()));
  app.add_option("--base", n.base, "Filters of the first block: 8, 16, 32 and, by network, 4 or 64")
      ->capture_default_str()
      ->check(whole(1, 1024));
  app.add_option("--context", n.context, "Context maps of micronet: sparse3, two-s or bilinear")->capture_default_str();
  app.add_option("--norm", n.norm,
                 "Normalisation: batch; of micronet also batch-stats or instance, of unet and fcn8s also none")
      ->capture_default_str();
}

void add_maps(CLI::App& app, models::NetworkChoice& n) {
  app.add_option("--maps", n.maps, "1 to regress a label map, 2 to classify pixels; default: as the paper does")
      ->check(whole(1, 2));
}

void add_threads(CLI::App& app, int& threads) {
  app.add_option("--threads", threads,
                 "Threads; 0: one for each processor that the job may use (nucdet doctor says how many and why)")
      ->envname("NUCDET_THREADS")
      ->capture_default_str()
      ->check(whole(0, 1024));
}

void add_device(CLI::App& app, DeviceOptions& o) {
  app.add_option(
         "--device", o.device,
         "auto: a GPU if there is one that can be used, else the processor; cpu; cuda or cuda:N, and nothing else")
      ->envname("NUCDET_DEVICE")
      ->capture_default_str();
  app.add_option("--precision", o.precision, "fp32; on a GPU also tf32, bf16, and fp16 for inference")
      ->capture_default_str()
      ->check(CLI::IsMember({"fp32", "tf32", "bf16", "fp16"}));
  app.add_flag("!--no-fuse", o.fuse,
               "On a GPU: only convolution engines that need no compiling; starts at once, runs slower");
  app.add_option("--kernels", o.kernels,
                 "On the processor: auto, or kernels by name (nucdet doctor lists those it can run)")
      ->capture_default_str();
  app.add_flag(
      "--exact", o.exact,
      "On the processor: convolutions as plain sums, 2 to 3 times slower; the same bits for tiles of any size");
  add_threads(app, o.threads);
}
void add_quiet(CLI::App& app, bool& quiet) { app.add_flag("-q,--quiet", quiet, "No progress"); }

void add_json(CLI::App& app, bool& json) {
  app.add_flag("--json", json, "Print the result as JSON in place of text, a line an object");
}

namespace {

void add_thresholds(CLI::App& c, ThresholdOptions& o) {
  c.add_option("--threshold,--floor", o.replaced.threshold, "The least score that is kept; default: the model's")
      ->check(at_least_0());
  c.add_option("--xi", o.replaced.xi,
               "The paper's threshold beside it, a fraction of the image's highest response; default: the model's, 0 "
               "where the score alone decides")
      ->check(within(0, 1));
  c.add_option("--components", o.components,
               "Instead of peaks: centroids of regions that score at least this (0.5 for unet and fcn8s)")
      ->check(above_0())
      ->excludes("--xi")
      ->excludes("--threshold");
}

void add_tiles(CLI::App& c, Index& tile, int& average) {
  c.add_option("--tile", tile,
               "Side of a tile in reference pixels, a multiple of 16 (of 32 for fcn8s); more is read around it; memory "
               "grows with it; default: 1024 to 2048, what fits the network")
      ->check(whole(16, 65536));
  c.add_option("--average", average,
               "Ways to look at the image whose mean is taken: 1, or 8 (mirror images and quarter turns), at eight "
               "times the cost")
      ->capture_default_str()
      ->check(CLI::IsMember({1, 8}));
}

}  // namespace

CLI::App& add_detect(CLI::App& app, DetectOptions& o) {
  CLI::App& c = *app.add_subcommand("detect", "Find nuclei in images");
  c.footer(
      "Examples:\n"
      "  nucdet detect slide.png --out found --overlay\n"
      "  nucdet detect data/manifest.csv --split test --model best.safetensors --out found --overlay\n"
      "  nucdet detect slides.lst --shard 1/8 --skip-existing --report found/run-1.jsonl --out found\n"
      "Writes NAME.csv (x, y, score, in the image's pixels) and NAME.json for each image, and lists them.\n" +
      std::string(kExitCodes));
  c.add_option("inputs", o.inputs, "Images, folders, manifests, or lists of paths (@list.txt, list.lst)")->required();
  c.add_option("-m,--model", o.model, "Weights; default: those that come with the program (NUCDET_MODEL names others)");
  c.add_option("-o,--out", o.out, "Folder for the results")->required();
  c.add_option("--split", o.split, "Only this split of a manifest");
  add_lists(c, o.recursive);
  add_thresholds(c, o.thresholds);
  add_pixel_size(c, o.pixel_size), add_parts(c, o);
  add_tiles(c, o.tile, o.average);
  add_results(c, o);
  add_cohort(c, o);
  add_json(c, o.json);
  add_device(c, o.device), add_quiet(c, o.quiet);
  return c;
}

CLI::App& add_evaluate(CLI::App& app, EvaluateOptions& o) {
  CLI::App& c = *app.add_subcommand("evaluate", "Score detections against annotated centres");
  c.footer(
      "Examples:\n"
      "  nucdet evaluate data/manifest.csv --model best.safetensors --out scores --overlays\n"
      "  nucdet evaluate data/manifest.csv --predictions found --matcher hungarian --gate 16\n"
      "Prints a table by organ; writes scores.json, organs.csv and images.csv; with --model also the curve over the\n"
      "threshold, or over xi where the model has one, as curve.csv, curve.svg and threshold.svg.\n"
      "Whole slides are looked at in their regions alone, those of the annotations or of --areas.\n" +
      std::string(kExitCodes));
  c.add_option("manifest", o.manifest, "Manifest CSV, or a folder")->required();
  c.add_option("-m,--model", o.model, "Weights; default: those that come with the program (NUCDET_MODEL names others)");
  c.add_option("--predictions", o.predictions, "Or a folder with NAME.csv (.json, .geojson, ...) for each image");
  c.add_flag("--strict", o.strict,
             "Refuse predictions that look wrong: missing ones, points outside, x and y exchanged");
  add_lists(c, o.recursive), add_pixel_size(c, o.pixel_size);
  c.add_option("-o,--out", o.out, "Folder for the results");
  c.add_option("--split", o.split, "Split to evaluate; empty: all")->capture_default_str();
  c.add_option("--matcher", o.matcher, "hungarian, greedy or ungated")
      ->capture_default_str()
      ->check(CLI::IsMember({"hungarian", "greedy", "ungated"}));
  c.add_option("--gate", o.gate, "Largest distance of a hit, reference pixels")
      ->capture_default_str()
      ->check(above_0());
  add_thresholds(c, o.thresholds);
  add_tiles(c, o.tile, o.average);
  const std::string group = "What is looked at";
  add_areas(c, o.areas, group), add_tissue(c, o.tissue, group), add_origin(c, o.origin, group);
  c.add_flag("--overlays", o.overlays,
             "Also a picture of each image, and of each region of a slide, with hits, false alarms and misses");
  c.add_flag("--overwrite", o.overwrite, "Replace scores of nucdet that were changed since");
  add_json(c, o.json);
  add_device(c, o.device), add_quiet(c, o.quiet);
  return c;
}

CLI::App& add_overlay(CLI::App& app, OverlayOptions& o) {
  CLI::App& c = *app.add_subcommand("overlay", "Draw detections, annotations or both on an image");
  c.footer(
      "Example:\n  nucdet overlay a.png --detections found/a.csv --truth annotations/a.csv --out a.overlay.png\n"
      "Circle: hit (with a line to its truth); square: false alarm; triangle: miss; ring: not scored.\n" +
      std::string(kExitCodes));
  c.add_option("image", o.image, "Image")->required();
  c.add_option("--detections", o.detections, "Points");
  c.add_option("--truth", o.truth, "Points; with --detections: what they are scored against");
  c.add_option("-o,--out", o.out, "PNG to write")->required();
  c.add_option("--gate", o.gate, "Largest distance of a hit, reference pixels")
      ->capture_default_str()
      ->check(above_0());
  add_pixel_size(c, o.pixel_size);
  c.add_option("--zoom", o.zoom, "Every pixel becomes zoom x zoom")->capture_default_str()->check(whole(1, 8));
  add_json(c, o.json);
  return c;
}

CLI::App& add_synth(CLI::App& app, SynthOptions& o) {
  CLI::App& c = *app.add_subcommand("synth", "Make synthetic tissue with its nucleus centres");
  c.footer("Example:\n  nucdet synth --out synthetic --images 24 --size 256\n" + std::string(kExitCodes));
  c.add_option("-o,--out", o.out, "Folder to make")->required();
  c.add_option("--images", o.images, "Images: half to train, a quarter each to validate and test")
      ->capture_default_str()
      ->check(whole(4, 100000));
  c.add_option("--size", o.size, "Pixels along a side")->capture_default_str()->check(whole(64, 8192));
  c.add_option("--density", o.density, "Nuclei per 1000 x 1000 pixels")->capture_default_str()->check(within(1, 10000));
  c.add_option("--seed", o.seed, "Seed")->capture_default_str()->check(any_seed());
  add_json(c, o.json);
  return c;
}

CLI::App& add_summary(CLI::App& app, SummaryOptions& o) {
  CLI::App& c = *app.add_subcommand("summary", "List a network's layers, sizes and costs");
  c.footer(
      "Examples:\n  nucdet summary --net micronet --base 32 --height 512 --width 512\n  nucdet summary --model "
      "best.safetensors\n"
      "  nucdet summary --net unet --base 64 --norm none --dot - | dot -Tsvg > unet.svg\n" +
      std::string(kExitCodes));
  add_network(c, o.network);
  c.add_option("-m,--model", o.model, "Weights, instead of the options above");
  add_maps(c, o.network);
  c.add_option("--dot", o.dot,
               "Write the network as a graph for Graphviz to this file; -: print it, instead of the table");
  c.add_option("--height", o.height, "Input rows")->capture_default_str()->check(whole(16, 100000));
  c.add_option("--width", o.width, "Input columns")->capture_default_str()->check(whole(16, 100000));
  add_json(c, o.json);
  return c;
}

CLI::App& add_export(CLI::App& app, ExportOptions& o) {
  CLI::App& c = *app.add_subcommand("export", "Write a network as a file for other programs");
  c.footer(
      "Examples:\n"
      "  nucdet export best.safetensors --format onnx --out best.onnx\n"
      "  nucdet export --out nuclei.onnx                  # the weights that come along\n"
      "The network reads `image`, float [N, 3, H, W], at the model's pixel size, and gives `map` (and `classes`): the "
      "map,\n"
      "not the nuclei. How these are found in it, and what the input is, stands in the file's metadata.\n" +
      std::string(kExitCodes));
  c.add_option("model,-m,--model", o.model, "Weights or a checkpoint; default: those that come along");
  c.add_option("-o,--out", o.out, "File to write")->required();
  c.add_option("--format", o.format, "onnx")->capture_default_str()->check(CLI::IsMember({"onnx"}));
  c.add_option("--input", o.input,
               "pixels: RGB from 0 to 255, which the graph normalises; normalized: what the network itself reads")
      ->capture_default_str()
      ->check(CLI::IsMember({"pixels", "normalized"}));
  add_json(c, o.json);
  return c;
}

CLI::App& add_bench(CLI::App& app, BenchOptions& o) {
  CLI::App& c = *app.add_subcommand("bench", "Measure a network: detection, forward pass and training step");
  c.footer(
      "Examples:\n"
      "  nucdet bench --net micronet --base 32 --device cuda --precision bf16\n"
      "  nucdet bench --model best.safetensors --image tile.png --json bench.json\n"
      "Times are medians; shares are of the rate of a matrix product of the same precision, measured in the same "
      "run.\n" +
      std::string(kExitCodes));
  add_network(c, o.network), add_maps(c, o.network);
  c.add_option("-m,--model", o.model, "Weights, instead of the options above");
  c.add_option("--image", o.image, "Image to detect in; default: synthetic tissue of 490 nuclei a megapixel");
  c.add_option("--height", o.height, "Rows of a tile")->capture_default_str()->check(whole(16, 16384));
  c.add_option("--width", o.width, "Columns of a tile")->capture_default_str()->check(whole(16, 16384));
  c.add_option("--batch", o.batch, "Crops in a training step")->capture_default_str()->check(whole(1, 1024));
  c.add_option("--crop", o.crop, "Their size")->capture_default_str()->check(whole(16, 4096));
  c.add_option("--seconds", o.seconds, "Spent on each measurement")->capture_default_str()->check(within(0.001, 3600));
  c.add_flag("--measure", o.measure, "Choose a GPU's convolution engines by time");
  c.add_option("--json", o.json,
               "Also write the figures to this file; without a file or -: print them instead of the table")
      ->expected(0, 1)
      ->type_name("[FILE]");
  add_device(c, o.device);
  return c;
}

CLI::App& add_doctor(CLI::App& app, DoctorOptions& o) {
  CLI::App& c = *app.add_subcommand("doctor", "Say what there is to compute on, and why not on a GPU");
  add_json(c, o.json);
  return c;
}

}  // namespace nucdet::program
