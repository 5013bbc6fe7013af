#include "options.hpp"
#include "validators.hpp"

/// The command line of what is done with whole slides.
namespace nucdet::program {

CLI::App& add_slide(CLI::App& app) {
  CLI::App& c = *app.add_subcommand("slide", "Look at whole slides");
  c.require_subcommand(1);
  c.footer(
      "Examples:\n"
      "  nucdet slide info a.svs\n"
      "  nucdet slide thumbnail a.svs --out a.png\n"
      "  nucdet slide tissue a.svs --out a.tissue.png\n" +
      std::string(kExitCodes));
  return c;
}

namespace {

void add_slide_file(CLI::App& c, std::string& slide) {
  c.add_option("slide", slide, "SVS, NDPI, MRXS, ... (OpenSlide), OME-TIFF or a tiled TIFF")->required();
}

}  // namespace

CLI::App& add_slide_info(CLI::App& slide, SlideInfoOptions& o) {
  CLI::App& c = *slide.add_subcommand("info", "Print a slide's levels, pixel size, bounds and associated pictures");
  c.footer("Example:\n  nucdet slide info a.svs --json\n" + std::string(kExitCodes));
  add_slide_file(c, o.slide);
  add_json(c, o.json);
  return c;
}

CLI::App& add_slide_thumbnail(CLI::App& slide, SlideThumbnailOptions& o) {
  CLI::App& c = *slide.add_subcommand("thumbnail", "Write a small picture of a slide, or one that comes with it");
  c.footer(
      "Examples:\n"
      "  nucdet slide thumbnail a.svs --out a.png --longest 2048\n"
      "  nucdet slide thumbnail a.svs --associated label --out label.png\n" +
      std::string(kExitCodes));
  add_slide_file(c, o.slide);
  c.add_option("-o,--out", o.out, "PNG to write")->required();
  CLI::Option* const longest = c.add_option("--longest", o.longest, "Pixels of the longer side, at most")
                                   ->capture_default_str()
                                   ->check(whole(1, 32768));
  c.add_option("--associated", o.associated, "Instead the picture of this name beside the slide: label, macro, ...")
      ->excludes(longest);
  add_json(c, o.json);
  return c;
}

CLI::App& add_slide_tissue(CLI::App& slide, SlideTissueOptions& o) {
  CLI::App& c = *slide.add_subcommand("tissue", "Find a slide's tissue: its area, a picture with its outline, a mask");
  c.footer(
      "Examples:\n"
      "  nucdet slide tissue a.svs --out a.tissue.png\n"
      "  nucdet slide tissue a.svs --mask-out a.mask.png --json\n" +
      std::string(kExitCodes));
  add_slide_file(c, o.slide);
  c.add_option("-o,--out", o.out, "PNG to write: the slide with the tissue's outline");
  c.add_option("--mask-out", o.mask_out, "PNG to write: the mask, 0 and 255, a pixel a cell");
  CLI::Option* const mask =
      c.add_option("--mask", o.mask, "Take this mask: a picture of the slide, black where is no tissue");
  c.add_option("--areas", o.areas, "Take the regions of these annotations, less their ignored areas")->excludes(mask);
  c.add_option("--cell", o.tissue.cell_um, "um along a side of a cell")
      ->capture_default_str()
      ->check(CLI::Range(0.5, 1000.0));
  c.add_option("--grow", o.tissue.grow_um, "um by which tissue grows")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 10000.0));
  c.add_option("--smallest", o.tissue.smallest_um2, "um2: what is smaller is no tissue, or no hole in it")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e9));
  c.add_option("--longest", o.longest, "Pixels of the longer side of --out, at most")
      ->capture_default_str()
      ->check(whole(100, 20000));
  add_pixel_size(c, o.pixel_size);
  add_json(c, o.json);
  return c;
}

}  // namespace nucdet::program
