#include "detect_slide.hpp"

#include <algorithm>
#include <fstream>

#include <sys/resource.h>
#include <unistd.h>

#include "nucdet/data/image_conversion.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/slide/open.hpp"
#include "nucdet/slide/overview.hpp"

namespace nucdet::program {

namespace {

slide::TissueMask tissue_of(const DetectOptions& o, const slide::Slide& slide, double um, const Areas& areas) {
  if (o.tissue == "all") return slide::all_tissue(slide);
  if (!o.tissue.empty() && o.tissue != "auto") return slide::tissue_from(io::read_picture(o.tissue), slide);
  if (!areas.regions.empty() && o.tissue.empty()) return slide::tissue_in(areas, slide, um);
  return slide::find_tissue(slide, um);
}

detect::Rectangle region_of(const DetectOptions& o, const slide::Slide& slide) {
  if (o.region.empty()) return {0, 0, slide.width(), slide.height()};
  const detect::Rectangle r{o.region[0], o.region[1], o.region[2], o.region[3]};
  if (r.x < 0 || r.y < 0 || r.width < 1 || r.height < 1 || r.x + r.width > slide.width() ||
      r.y + r.height > slide.height())
    throw IoError(message(slide.where(), ": --region ", r.x, ',', r.y, ',', r.width, ',', r.height,
                          " is not in the slide of ", slide.width(), 'x', slide.height(), " pixels"));
  return r;
}

}  // namespace

SlideWork slide_work(const DetectOptions& o, const Input& input) {
  const slide::Slide slide = slide::open_slide(input.entry.image);
  io::Picture about{.where = slide.where(), .height = slide.height(), .width = slide.width()};
  about.pixel_size = slide.pixel_size();
  const models::Scaling scaling = models::scaling_of(o.pixel_size, input.entry, about);
  const double um = scaling.scale * models::kReferencePixel;
  Counted counted{region_of(o, slide), {}};
  if (const auto file = areas_file(o, input)) counted.areas = areas_in(*file);
  slide::TissueMask tissue = tissue_of(o, slide, um, counted.areas);
  return {slide, scaling, slide::SlidePlan(slide, um), std::move(tissue), std::move(counted)};
}

double SlideWork::counted_pixels() const {
  Index cells = 0;
  for (Index y = 0; y < tissue.height; ++y)
    for (Index x = 0; x < tissue.width; ++x) {
      const Point middle{(static_cast<double>(x) + 0.5) * tissue.cell_x - 0.5,
                         (static_cast<double>(y) + 0.5) * tissue.cell_y - 0.5};
      cells += tissue.at(x, y) && counted(middle) ? 1 : 0;
    }
  return static_cast<double>(cells) * tissue.cell_x * tissue.cell_y;
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
  constexpr Index kMostPixels = Index{1} << 22;
  const auto levels = slide.levels();
  Index level = static_cast<Index>(levels.size()) - 1;
  while (level > 0 &&
         levels[static_cast<std::size_t>(level - 1)].width * levels[static_cast<std::size_t>(level - 1)].height <=
             kMostPixels)
    --level;
  const slide::Level& chosen = levels[static_cast<std::size_t>(level)];
  const io::Picture picture = slide.read(level, {0, 0, chosen.width, chosen.height});
  return data::to_image(context, picture.view());
}

double memory_of_tiles(const nn::Plan& network, Index window, Index ahead) {
  const double pixels = static_cast<double>(window) * static_cast<double>(window);
  constexpr double kFinest = 4, kBytes = 3, kFloats = 12;  // a pixel's; slides at 80x have four for one
  return 4 * static_cast<double>(network.peak_elements) + static_cast<double>(ahead + 2) * kFinest * kBytes * pixels +
         kFloats * pixels;
}

double memory_left(Index megabytes) {
  constexpr double kWriting = 32e6;  // of results, and what threads take for themselves
  double pages = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return static_cast<double>(megabytes) * 1e6 - resident * static_cast<double>(::sysconf(_SC_PAGESIZE)) - kWriting;
}

void limit_memory(Index megabytes) {
  // Of data: address space that is only reserved does not count.
  rlimit limit{};
  ::getrlimit(RLIMIT_DATA, &limit);
  limit.rlim_cur = std::min(limit.rlim_max, static_cast<rlim_t>(megabytes) * 1'000'000);
  ::setrlimit(RLIMIT_DATA, &limit);
}

}  // namespace nucdet::program
