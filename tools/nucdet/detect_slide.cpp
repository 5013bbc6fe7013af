#include "detect_slide.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/io/annotations.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/overview.hpp"

namespace nucdet::program {

slide::TissueMask tissue_of(const std::string& asked, const slide::Slide& slide, double um, const Areas& areas) {
  if (asked == "all") return slide::all_tissue(slide);
  if (!asked.empty() && asked != "auto") return slide::tissue_from(io::read_picture(asked), slide);
  if (!areas.regions.empty() && asked.empty()) return slide::tissue_in(areas, slide, um);
  return slide::find_tissue(slide, um);
}

io::Picture without_pixels(const slide::Slide& slide) {
  io::Picture about{.where = slide.where(), .format = "slide", .height = slide.height(), .width = slide.width()};
  about.pixel_size = slide.pixel_size();
  return about;
}

void refuse_components(const ThresholdOptions& thresholds, const Input& input) {
  if (!thresholds.components) return;
  throw ArgumentError(message(input.entry.image.string(),
                              ": is a whole slide, of which there is no map in one piece "
                              "to find regions in: leave out --components"));
}

SlideWork slide_work(const DetectOptions& o, const Input& input) {
  refuse_components(o.thresholds, input);
  const slide::Slide slide = slide::open_slide(input.entry.image);
  const models::Scaling scaling = models::scaling_of(o.pixel_size, input.entry, without_pixels(slide));
  const double um = scaling.scale * models::kReferencePixel;
  Counted counted{region_of(o, slide.where(), slide.width(), slide.height()), {}};
  if (const auto file = areas_file(o.areas, input)) counted.areas = areas_in(*file);
  slide::TissueMask tissue = tissue_of(o.tissue, slide, um, counted.areas);
  return {slide, scaling, slide::SlidePlan(slide, um), std::move(tissue), std::move(counted)};
}

namespace {

/// Where one axis is looked at: at the middles of parts of the tissue's cells.
struct Looks {
  Index begin, end;  ///< numbers of parts
  double part;       ///< pixels of level 0
  Index of_cell;     ///< parts

  /// Those whose middles lie between the edges before two reference pixels. `to_end`: and whatever comes after them.
  Looks(double cell, Index cells, double from, double to, bool to_end) {
    constexpr double kLargest = 64;
    of_cell = static_cast<Index>(std::ceil(cell / kLargest)), part = cell / static_cast<double>(of_cell);
    const auto first = [&](double edge) {
      return std::clamp<Index>(static_cast<Index>(std::ceil(edge / part - 0.5)), 0, cells * of_cell);
    };
    begin = first(from), end = to_end ? cells * of_cell : first(to);
  }
  double middle(Index i) const { return (static_cast<double>(i) + 0.5) * part - 0.5; }
};

}  // namespace

double SlideWork::counted_pixels(const detect::Rectangle& r) const {
  const double x_pixels = plan.downsample_x / plan.scale, y_pixels = plan.downsample_y / plan.scale;
  // The reference's last pixel may end a little before the slide does.
  const Looks across(tissue.cell_x, tissue.width, static_cast<double>(r.x) * x_pixels,
                     static_cast<double>(r.x + r.width) * x_pixels, r.x + r.width == plan.reference.w);
  const Looks down(tissue.cell_y, tissue.height, static_cast<double>(r.y) * y_pixels,
                   static_cast<double>(r.y + r.height) * y_pixels, r.y + r.height == plan.reference.h);
  Index counting = 0;
  for (Index y = down.begin; y < down.end; ++y)
    for (Index x = across.begin; x < across.end; ++x)
      counting +=
          tissue.at(x / across.of_cell, y / down.of_cell) && counted({across.middle(x), down.middle(y)}) ? 1 : 0;
  return static_cast<double>(counting) * across.part * down.part;
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

}  // namespace nucdet::program
