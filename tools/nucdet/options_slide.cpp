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
      "  nucdet slide thumbnail a.svs --out a.png\n" +
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

}  // namespace nucdet::program
