#include "detect_slide.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/data/image_conversion.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/overview.hpp"
#include "nucdet/slide/thumbnail.hpp"

namespace nucdet::program {

namespace {

slide::TissueMask tissue_of(const DetectOptions& o, const slide::Slide& slide, double um, const Areas& areas) {
  if (o.tissue == "all") return slide::all_tissue(slide);
  if (!o.tissue.empty() && o.tissue != "auto") return slide::tissue_from(io::read_picture(o.tissue), slide);
  if (!areas.regions.empty() && o.tissue.empty()) return slide::tissue_in(areas, slide, um);
  return slide::find_tissue(slide, um);
}

}  // namespace

SlideWork slide_work(const DetectOptions& o, const Input& input) {
  if (o.thresholds.components)
    throw ArgumentError(message(input.entry.image.string(),
                                ": is a whole slide, of which there is no map in one piece "
                                "to find regions in: leave out --components"));
  const slide::Slide slide = slide::open_slide(input.entry.image);
  io::Picture about{.where = slide.where(), .height = slide.height(), .width = slide.width()};
  about.pixel_size = slide.pixel_size();
  const models::Scaling scaling = models::scaling_of(o.pixel_size, input.entry, about);
  const double um = scaling.scale * models::kReferencePixel;
  Counted counted{region_of(o, slide.where(), slide.width(), slide.height()), {}};
  if (const auto file = areas_file(o, input)) counted.areas = areas_in(*file);
  slide::TissueMask tissue = tissue_of(o, slide, um, counted.areas);
  return {slide, scaling, slide::SlidePlan(slide, um), std::move(tissue), std::move(counted)};
}

double SlideWork::counted_pixels(const detect::Rectangle& r) const {
  const auto first = [this](Index edge, double downsample, double cell, Index cells) {
    const double at = static_cast<double>(edge) / plan.scale * downsample;  // pixels of level 0 before the edge
    return std::clamp<Index>(static_cast<Index>(std::ceil(at / cell - 0.5)), 0, cells);
  };
  // The reference's last pixel may end a little before the slide does.
  const Index right = r.x + r.width == plan.reference.w
                          ? tissue.width
                          : first(r.x + r.width, plan.downsample_x, tissue.cell_x, tissue.width);
  const Index bottom = r.y + r.height == plan.reference.h
                           ? tissue.height
                           : first(r.y + r.height, plan.downsample_y, tissue.cell_y, tissue.height);
  Index cells = 0;
  for (Index y = first(r.y, plan.downsample_y, tissue.cell_y, tissue.height); y < bottom; ++y)
    for (Index x = first(r.x, plan.downsample_x, tissue.cell_x, tissue.width); x < right; ++x) {
      const Point middle{(static_cast<double>(x) + 0.5) * tissue.cell_x - 0.5,
                         (static_cast<double>(y) + 0.5) * tissue.cell_y - 0.5};
      cells += tissue.at(x, y) && counted(middle) ? 1 : 0;
    }
  return static_cast<double>(cells) * tissue.cell_x * tissue.cell_y;
}

SlideMeter::SlideMeter(const SlideWork& work, const std::vector<detect::TileRegion>& tiles,
                       std::span<const Index> wanted) {
  const io::PixelSize& size = work.scaling.pixel_size;
  if (!size.known()) state_.unit = "megapixels";
  const double pixel = 1e-6 * (size.known() ? size.x * size.y : 1);
  for (const Index number : wanted) {
    const double area = work.counted_pixels(tiles[static_cast<std::size_t>(number)].core) * pixel;
    areas_[number] = area, state_.all += area;
  }
}

SlideState SlideMeter::state(Index nuclei) const {
  SlideState now = state_;
  now.nuclei = nuclei;
  return now;
}

ResultDrawings drawings_on(std::shared_ptr<const SlideWork> work) {
  return {[work = std::move(work)](const io::DetectionReport& report) {
            const double um = work->scaling.scale * models::kReferencePixel;
            const io::DensityMap density =
                io::density_map(centres_of(report.nuclei), report.height, report.width, {um, um, "detect"});
            return slide::draw_overview(work->slide, um, work->tissue, density);
          },
          {}};
}

Image low_level(Context<Cpu>& context, const slide::Slide& slide) {
  constexpr Index kLongest = 2048;
  return data::to_image(context, slide::thumbnail(slide, kLongest).view());
}

}  // namespace nucdet::program
