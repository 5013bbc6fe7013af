#include "slide_tissue.hpp"

#include <cmath>
#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/image.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/overview.hpp"

#include "endings.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

namespace {

void check(const SlideTissueOptions& o) {
  for (const std::string& name : {o.out, o.mask_out})
    if (!name.empty() && std::filesystem::path(name).extension() != ".png")
      throw ArgumentError(message("slide tissue: the output is ", name, ", wanted a name in .png"));
  if (!o.mask.empty() && !o.areas.empty()) throw ArgumentError("slide tissue: both --mask and --areas were given");
}

slide::TissueMask tissue_of(const SlideTissueOptions& o, const slide::Slide& slide, double um) {
  if (!o.mask.empty()) return slide::tissue_from(io::read_picture(o.mask), slide);
  if (o.areas.empty()) return slide::find_tissue(slide, um, o.tissue);
  const std::string image = std::filesystem::path(o.slide).filename().string();
  const Areas areas = io::read_annotations(o.areas, {.um_per_pixel = um, .image = image}).areas;
  if (areas.everywhere()) throw IoError(message(o.areas, ": has neither regions nor ignored areas"));
  return slide::tissue_in(areas, slide, um, o.tissue);
}

Image picture_of(const slide::TissueMask& tissue) {
  Image picture = make_image(tissue.height, tissue.width, 1);
  for (std::size_t i = 0; i < tissue.cells.size(); ++i) picture.data()[i] = tissue.cells[i] != 0 ? 1.0f : 0.0f;
  return picture;
}

void print(const SlideTissueOptions& o, const slide::Slide& slide, const slide::TissueMask& tissue,
           const models::Scaling& scaling, double um) {
  const double pixels = static_cast<double>(slide.width()) * static_cast<double>(slide.height());
  const double share = tissue.pixels() / pixels, mm2 = tissue.pixels() * um * um * 1e-6;
  if (o.json) {
    const auto file = [](const std::string& name) { return name.empty() ? Json() : Json(name); };
    print_json({{"slide", o.slide},
                {"um_per_pixel", um},
                {"pixel_size_from", scaling.pixel_size.known() ? Json(scaling.pixel_size.source) : Json()},
                {"tissue_mm2", mm2},
                {"slide_mm2", pixels * um * um * 1e-6},
                {"share", share},
                {"cells", {{"width", tissue.width}, {"height", tissue.height}}},
                {"cell_pixels", {{"x", tissue.cell_x}, {"y", tissue.cell_y}}},
                {"out", file(o.out)},
                {"mask", file(o.mask_out)}});
    return;
  }
  std::cout << printable(o.slide) << ": " << message(mm2) << " mm2 of tissue, "
            << message(std::round(share * 1000) / 10) << " % of " << slide.width() << " x " << slide.height()
            << " pixels of " << message(um) << " um\n";
}

}  // namespace

int slide_tissue(const SlideTissueOptions& o) {
  check(o);
  OutputGuard guard(o.overwrite);
  for (const std::string& file : {o.slide, o.mask, o.areas}) guard.input(file);
  guard.output(o.out, io::Product::drawing), guard.output(o.mask_out, io::Product::drawing);
  const slide::Slide slide = slide::open_slide(o.slide);
  const models::Scaling scaling = models::scaling_of(o.pixel_size, {}, slide.where(), slide.pixel_size());
  const double um = scaling.scale * models::kReferencePixel;
  note(models::PixelSizes().line(scaling));
  const slide::TissueMask tissue = tissue_of(o, slide, um);
  Image overview;
  if (!o.out.empty()) overview = slide::draw_overview(slide, um, tissue, {}, {.longest = o.longest});
  guard.check_again();
  io::AtomicFiles together;
  if (!o.out.empty()) io::write_drawing(o.out, overview);
  if (!o.mask_out.empty()) io::write_drawing(o.mask_out, picture_of(tissue));
  together.commit();
  print(o, slide, tissue, scaling, um);
  return 0;
}

}  // namespace nucdet::program
