#include "detect_slide.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/io/annotations.hpp"
#include "nucdet/slide/overview.hpp"

namespace nucdet::program {

slide::TissueMask tissue_of(const std::string& asked, const slide::Slide& slide, double um, const Areas& areas,
                            const Watch& watch) {
  if (asked == "all") return slide::all_tissue(slide);
  if (!asked.empty() && asked != "auto") return slide::tissue_from(io::read_picture(asked), slide);
  if (!areas.regions.empty() && asked.empty()) return slide::tissue_in(areas, slide, um);
  return slide::find_tissue(slide, um, {}, watch);
}

void refuse_components(const ThresholdOptions& thresholds, const Input& input) {
  if (!thresholds.components) return;
  throw ArgumentError(message(input.entry.image.string(),
                              ": is a whole slide, of which there is no map in one piece "
                              "to find regions in: leave out --components"));
}

detect::Rectangle frame_of(const std::string& origin, const slide::Slide& slide) {
  if (origin == "bounds") return slide.bounds();
  return {0, 0, slide.width(), slide.height()};
}

Areas moved(Areas areas, double right, double down) {
  for (std::vector<Area>* all : {&areas.regions, &areas.ignored})
    for (Area& area : *all)
      for (std::vector<Point>& ring : area.rings)
        for (Point& corner : ring) corner.x += right, corner.y += down;
  return areas;
}

SlideWork slide_work(const DetectOptions& o, const Input& input, slide::Slide slide, const Watch& watch) {
  refuse_components(o.thresholds, input);
  const models::Scaling scaling = models::scaling_of(o.pixel_size, input.entry, slide.where(), slide.pixel_size());
  const double um = scaling.scale * models::kReferencePixel;
  const detect::Rectangle frame = frame_of(o.origin, slide);
  Counted counted{region_of(o, slide.where(), frame.width, frame.height), {}};
  counted.core.x += frame.x, counted.core.y += frame.y;
  Areas areas;
  if (const auto file = areas_file(o.areas, input))
    areas = moved(areas_in(*file), static_cast<double>(frame.x), static_cast<double>(frame.y));
  counted.areas = AreasIndex(areas);
  slide::TissueMask tissue = tissue_of(o.tissue, slide, um, areas, watch);
  slide::SlidePlan plan(slide, um);
  return {std::move(slide), scaling, plan, std::move(tissue), std::move(counted), frame};
}

namespace {

/// Where one axis is looked at: at the middles of parts of the tissue's cells.
struct Looks {
  Index begin, end;  ///< numbers of parts
  double part;       ///< pixels of level 0
  Index of_cell;     ///< parts

  /// Those whose middles lie between the edges before two reference pixels. `to_end`: and whatever comes after them.
  Looks(double cell, Index cells, double largest, double from, double to, bool to_end) {
    of_cell = static_cast<Index>(std::ceil(cell / largest)), part = cell / static_cast<double>(of_cell);
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
  constexpr double kSmallest = 4, kMostLooks = 1e6;  // at all of the slide, if cells are larger
  const double largest = std::max(
      kSmallest, std::sqrt(static_cast<double>(slide.width()) * static_cast<double>(slide.height()) / kMostLooks));
  // The reference's last pixel may end a little before the slide does.
  const Looks across(tissue.cell_x, tissue.width, largest, static_cast<double>(r.x) * x_pixels,
                     static_cast<double>(r.x + r.width) * x_pixels, r.x + r.width == plan.reference.w);
  const Looks down(tissue.cell_y, tissue.height, largest, static_cast<double>(r.y) * y_pixels,
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

ResultDrawings drawings_on(std::shared_ptr<const SlideWork> work, Watch watch) {
  return {[work = std::move(work), watch = std::move(watch)](const io::DetectionReport& report) {
            const double um = work->scaling.scale * models::kReferencePixel;
            std::vector<Point> centres;
            for (const Nucleus& n : report.nuclei)
              centres.push_back(
                  {n.centre.x + static_cast<double>(work->frame.x), n.centre.y + static_cast<double>(work->frame.y)});
            const io::DensityMap density =
                io::density_map(centres, work->slide.height(), work->slide.width(), {um, um, "detect"});
            return slide::draw_overview(work->slide, um, work->tissue, density, {}, watch);
          },
          {}};
}

}  // namespace nucdet::program
