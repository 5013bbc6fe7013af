#include "options.hpp"
#include "validators.hpp"

namespace nucdet::program {

CLI::App& add_convert(CLI::App& app, ConvertOptions& o) {
  CLI::App& c = *app.add_subcommand("convert", "Turn annotations of any format into any other");
  c.footer(
      "Examples:\n"
      "  nucdet convert measurements.tsv a.csv --image a.svs\n"
      "  nucdet convert CellCounter_a.xml a.geojson\n"
      "  nucdet convert labels.tif a.db\n"
      "Reads CSV and TSV (x, y; of QuPath and ImageJ), GeoJSON, ImageJ's points and Cell Counter, label masks,\n"
      "TIAToolbox's AnnotationStore and nucdet's own results, told apart by content, gzipped or not. Writes what the\n"
      "ending says: .csv, .tsv, .geojson, .geojson.gz, .db. Prints the file and its number of points.\n" +
      std::string(kExitCodes));
  c.add_option("in", o.in, "Annotations")->required();
  c.add_option("out,-o,--out", o.out, "File to write, or a folder for NAME.csv")->required();
  c.add_option("--image", o.image, "The image: gives um a pixel, and points outside of it are told");
  c.add_option("--mpp", o.mpp, "um a pixel, for points in um; default: the image's, or 0.25")
      ->check(within(models::kFinestPixel, models::kCoarsestPixel));
  c.add_flag("--overwrite", o.overwrite, "Replace a file that is there");
  add_json(c, o.json);
  return c;
}

CLI::App& add_manifest(CLI::App& app, ManifestOptions& o) {
  CLI::App& c = *app.add_subcommand("manifest", "Make a manifest of images and their annotations");
  c.footer(
      "Examples:\n"
      "  nucdet manifest images annotations --out data.csv --split 70,15,15\n"
      "  nucdet manifest slides points --out data.csv --recursive --patient '^(TCGA-..-....)' --split 80,20\n"
      "An image and the annotations of its name, in the same sub-folder or else anywhere, make a pair. Splits are "
      "drawn\n"
      "by patient. Prints counts by split; warns of images without annotations, annotations without an image, points\n"
      "outside, duplicates, and images without nuclei.\n" +
      std::string(kExitCodes));
  c.add_option("images", o.images, "Folder of images")->required();
  c.add_option("annotations", o.annotations, "Folder of annotations; may be the same")->required();
  c.add_option("-o,--out", o.out, "Manifest to write")->required();
  c.add_option(
      "--patient", o.patient,
      "Regular expression whose first group, in an image's path within the folder, is the patient; default: the "
      "sub-folder");
  c.add_option("--organ", o.organ, "The same for the organ; default: none");
  c.add_option("--split", o.split, "Shares of train and val, or of train, val and test: 70,15,15; default: no splits");
  c.add_option("--seed", o.seed, "Seed of the splits")->capture_default_str()->check(any_seed());
  add_lists(c, o.recursive);
  add_threads(c, o.threads);
  c.add_flag("--overwrite", o.overwrite, "Replace a manifest that is there");
  add_json(c, o.json);
  return c;
}

}  // namespace nucdet::program
