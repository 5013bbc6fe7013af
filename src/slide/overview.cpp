#include "nucdet/slide/overview.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"

#include "cell_grid.hpp"
#include "cell_means.hpp"
#include "io/density_colours.hpp"

namespace nucdet::slide {

namespace {

constexpr io::detail::Colour kOutline{0.05f, 0.35f, 0.95f}, kOutlineOnColours{1.0f, 0.35f, 0.1f};
constexpr Index kReach = 2;  // pixels: half the width of the outline

/// The picture's size, and where its pixels are from.
struct Frame {
  Index columns, rows, zoom;  // pixels before they are enlarged
  Index level;
  io::PixelSize um;  // of the picture's pixels

  Index width() const { return columns * zoom; }
  Index height() const { return rows * zoom; }

  Frame(const Slide& slide, double um_per_pixel, Index longest) {
    const auto w = static_cast<double>(slide.width()), h = static_cast<double>(slide.height()), side = std::max(w, h);
    const double shrunk = std::max(1.0, side / static_cast<double>(longest));
    level = level_for(slide.levels(), 1, shrunk);
    const Level& of = slide.levels()[static_cast<std::size_t>(level)];
    const auto pixels = [&](double size, Index most) {
      return std::clamp<Index>(static_cast<Index>(std::llround(size / shrunk)), 1, most);
    };
    columns = pixels(w, of.width), rows = pixels(h, of.height);
    const Index longer = std::max(columns, rows), least = io::detail::kLeastDensitySide;
    zoom = longer < least ? (least + longer - 1) / longer : 1;
    const io::PixelSize pixel = detail::pixel_size_of(slide, um_per_pixel);
    um = {w * pixel.x / static_cast<double>(width()), h * pixel.y / static_cast<double>(height()), pixel.source};
  }
};

void draw_slide(Image& picture, const Frame& frame, const Slide& slide, bool grey, const Watch& watch) {
  const detail::CellMeans means = detail::cell_means(slide, frame.level, frame.columns, frame.rows, watch);
  float* to = picture.data();
  for (Index y = 0; y < frame.height(); ++y)
    for (Index x = 0; x < frame.width(); ++x, to += 3) {
      const auto& rgb = means.rgb[static_cast<std::size_t>(y / frame.zoom * frame.columns + x / frame.zoom)];
      for (std::size_t c = 0; c < 3; ++c) to[c] = static_cast<float>(rgb[c]) / (255.0f * detail::CellMeans::kOne);
      if (grey) to[0] = to[1] = to[2] = 0.299f * to[0] + 0.587f * to[1] + 0.114f * to[2];
    }
}

/// Of each pixel of the picture, whether its middle is tissue.
std::vector<std::uint8_t> tissue_at_pixels(const Frame& frame, const Slide& slide, const TissueMask& tissue) {
  const auto place = [](Index i, Index pixels, Index size) {
    return (static_cast<double>(i) + 0.5) / static_cast<double>(pixels) * static_cast<double>(size) - 0.5;
  };
  std::vector<std::uint8_t> at;
  at.reserve(static_cast<std::size_t>(frame.width() * frame.height()));
  for (Index y = 0; y < frame.height(); ++y)
    for (Index x = 0; x < frame.width(); ++x)
      at.push_back(tissue.holds({place(x, frame.width(), slide.width()), place(y, frame.height(), slide.height())}));
  return at;
}

/// A line where around a pixel about half is tissue, which fades to both sides: it follows cells of any size, and needs
/// no corners.
void draw_outline(Image& picture, const Frame& frame, const std::vector<std::uint8_t>& tissue,
                  io::detail::Colour colour) {
  const Index width = frame.width(), height = frame.height();
  std::vector<int> across(tissue.size());  // tissue in the pixels of a row around each
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x)
      for (Index d = -kReach; d <= kReach; ++d)
        across[static_cast<std::size_t>(y * width + x)] +=
            tissue[static_cast<std::size_t>(y * width + std::clamp<Index>(x + d, 0, width - 1))];
  constexpr int kAll = (2 * kReach + 1) * (2 * kReach + 1);
  float* pixel = picture.data();
  for (Index y = 0; y < height; ++y)
    for (Index x = 0; x < width; ++x, pixel += 3) {
      int sum = 0;
      for (Index d = -kReach; d <= kReach; ++d)
        sum += across[static_cast<std::size_t>(std::clamp<Index>(y + d, 0, height - 1) * width + x)];
      if (sum == 0 || sum == kAll) continue;
      const float from_half = std::abs(2.0f * static_cast<float>(sum) / kAll - 1);
      const float cover = std::min(1.0f, 1.5f * (1 - from_half));
      pixel[0] += cover * (colour.r - pixel[0]);
      pixel[1] += cover * (colour.g - pixel[1]);
      pixel[2] += cover * (colour.b - pixel[2]);
    }
}

}  // namespace

io::NucleusCounts counts_for(const Slide& slide, double um_per_pixel, const io::DensityOptions& options) {
  return {slide.height(), slide.width(), detail::pixel_size_of(slide, um_per_pixel), options};
}

Image draw_overview(const Slide& slide, double um_per_pixel, const TissueMask& tissue, const io::DensityMap& density,
                    const OverviewStyle& style, const Watch& watch) {
  const io::PixelSize pixel = detail::pixel_size_of(slide, um_per_pixel);
  if (!(style.longest >= 100 && style.longest <= 20000 && style.opacity >= 0 && style.opacity <= 1 && style.most >= 0 &&
        pixel.known() && std::isfinite(pixel.um())))
    throw ArgumentError(message("draw_overview: longest ", style.longest, ", opacity ", style.opacity, ", most ",
                                style.most, ", pixels of ", pixel.x, " x ", pixel.y,
                                " um, wanted 100 to 20000, 0 to 1, at least 0, above 0"));
  const bool colours = density.per_mm2.size() > 0;
  io::detail::DensityLegend legend;
  if (colours) {
    const auto highest = static_cast<double>(*std::max_element(density.per_mm2.begin(), density.per_mm2.end()));
    legend.most = style.most > 0 ? style.most : io::detail::brightest_density(highest);
  }
  const Frame frame(slide, um_per_pixel, style.longest);
  const double mm2 = tissue.pixels() * pixel.x * pixel.y * 1e-6;
  legend.um = frame.um.x;
  legend.line = "tissue " + io::detail::text_of(std::round(mm2 * 1000) / 1000) + " mm2";
  const Index longer = std::max(frame.width(), frame.height());
  legend.scale = std::clamp<Index>((longer + 500) / 1000, 1, std::max<Index>(1, frame.width() / 500));
  legend.line_colour = colours ? kOutlineOnColours : kOutline;
  Image picture = make_image(frame.height() + legend.height(), frame.width(), 3);
  draw_slide(picture, frame, slide, colours, watch);
  if (colours)
    io::detail::lay_density(picture, frame.height(), density, frame.um.x, frame.um.y, legend.most, style.opacity);
  draw_outline(picture, frame, tissue_at_pixels(frame, slide, tissue), legend.line_colour);
  io::detail::draw_legend(picture, legend);
  return picture;
}

}  // namespace nucdet::slide
