#include "options.hpp"
#include "validators.hpp"

/// The command line of what reads images and leaves results.
namespace nucdet::program {

void add_pixel_size(CLI::App& c, models::AskedPixelSize& o) {
  const std::string group = "Pixel size";
  CLI::Option* mpp =
      c.add_option("--mpp", o.mpp, "um a pixel, 0.1 to 1.5; default: the manifest's, else the file's, else 0.25")
          ->check(within(models::kFinestPixel, models::kCoarsestPixel))
          ->group(group);
  c.add_option("--scale", o.scale, "Or image pixels to reference pixels (0.25 um): 2 for a scan at 20x")
      ->check(scale_range())
      ->excludes(mpp)
      ->group(group);
}

void add_areas(CLI::App& c, std::string& areas, const std::string& group) {
  c.add_option(
       "--areas,--roi", areas,
       "GeoJSON, or a folder of NAME.geojson: polygons of the classes Region* and Ignore* say where nuclei count")
      ->group(group);
}

void add_origin(CLI::App& c, std::string& origin, const std::string& group) {
  c.add_option(
       "--origin", origin,
       "What positions of a slide count from, of results, regions and annotations: level0, or bounds, the corner "
       "of what was scanned, as QuPath shows MRXS")
      ->capture_default_str()
      ->check(CLI::IsMember({"level0", "bounds"}))
      ->group(group);
}

void add_tissue(CLI::App& c, std::string& tissue, const std::string& group) {
  c.add_option("--tissue", tissue,
               "auto: what has colour or is dark at a low level; all: everywhere; or a picture of the whole slide that "
               "is 0 where there is none; default: auto, or the regions that are given")
      ->group(group);
}

void add_lists(CLI::App& c, bool& recursive) {
  c.add_flag("-r,--recursive", recursive, "Images of a folder's folders too");
}

void add_results(CLI::App& c, DetectOptions& o) {
  const std::string group = "Results";
  c.add_flag("--overlay", o.overlay, "Also NAME.overlay.png")->group(group);
  CLI::Option* geojson = c.add_flag("--geojson", o.geojson, "Also NAME.geojson, for QuPath")->group(group);
  c.add_flag("--gzip", o.gzip, "It as NAME.geojson.gz")->needs(geojson)->group(group);
  c.add_flag("--ids", o.ids, "Its features with UUIDs, the same in every run")->needs(geojson)->group(group);
  c.add_option("--offset", o.offset, "X,Y that GeoJSON and the store add: where a crop lies in its slide")
      ->delimiter(',')
      ->expected(2)
      ->check(within(-1e9, 1e9))
      ->group(group);
  c.add_flag("--store", o.store, "Also NAME.db, an AnnotationStore of TIAToolbox")->group(group);
  c.add_flag("--density", o.density, "Also NAME.density.csv and .png: nuclei per mm2")->group(group);
  c.add_option("--summary", o.summary, "Also one table for all images: counts, density, classes")->group(group);
  c.add_flag("--overwrite", o.overwrite, "Replace detections of nucdet that were changed since")->group(group);
}

void add_cohort(CLI::App& c, DetectOptions& o) {
  const std::string group = "Many images";
  c.add_flag("--skip-existing", o.skip_existing,
             "Pass over images whose results are there, of the same image, weights, settings and version")
      ->group(group);
  c.add_flag("--full-hash", o.full_hash,
             "Know images again by all of their bytes, not by size and 64 kB of head, middle and tail")
      ->group(group);
  c.add_option(
       "--shard", o.shard,
       "I/N: only the I-th of N parts of the images, of about the same size; default: the task's in a job array "
       "of Slurm, else 1/1, all of them")
      ->group(group);
  c.add_option("--report", o.report, "Append a line of JSON for each image to this file, for nucdet merge and report")
      ->group(group);
  c.add_option("--max-errors", o.most_errors, "End the call (3) when more images than this have failed")
      ->check(whole(0, 1'000'000'000))
      ->group(group);
}

void add_parts(CLI::App& c, DetectOptions& o) {
  const std::string group = "What is looked at";
  c.add_option("--page", o.page, "Of a file of several pages: this one, from 1")
      ->check(whole(1, 1'000'000))
      ->group(group);
  c.add_option("--region", o.region, "X,Y,WIDTH,HEIGHT: only there, in the image's pixels")
      ->delimiter(',')
      ->expected(4)
      ->check(whole(0, 1'000'000'000))
      ->group(group);
  add_areas(c, o.areas, group);
  const std::string slides = "Whole slides";
  add_tissue(c, o.tissue, slides), add_origin(c, o.origin, slides);
  c.add_option("--ahead", o.ahead, "Tiles that are read ahead")
      ->capture_default_str()
      ->check(whole(1, 64))
      ->group(slides);
  c.add_option("--memory", o.memory,
               "MB that the process may take; tiles are made smaller to keep it, and what goes beyond it fails")
      ->check(whole(100, 1'000'000))
      ->group(slides);
}

}  // namespace nucdet::program
