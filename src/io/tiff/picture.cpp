#include <cmath>

#include "nucdet/core/error.hpp"

#include "../foreign_formats.hpp"
#include "../pixel_size.hpp"
#include "cielab.hpp"
#include "colour.hpp"
#include "pages.hpp"

namespace nucdet::io::detail {

namespace {

constexpr std::uint32_t kNdpiTag = 65420;

/// TIFF by its first bytes, but with pictures that libtiff does not find or cannot decode.
void refuse_relatives(const TiffFile& file) {
  const std::string_view where = file.source().where;
  if (file.has_private(kNdpiTag)) refuse_as("a Hamamatsu NDPI slide", where);
  const std::string_view ending = where.size() > 4 ? where.substr(where.size() - 4) : "";
  if (ending == ".vsi" || ending == ".VSI") refuse_as("an Olympus VSI slide, whose picture lies in other files", where);
}

/// A whole slide may have a level that is small enough.
void check_size_of(const TiffFile& file, const TiffChoice& choice) {
  const TiffPage& page = choice.planes[0];
  const Index limit = file.source().options.pixels;
  const double most = static_cast<double>(limit);
  if (page.area() <= most) return;
  std::string pages;
  for (const TiffPage& p : choice.pages)
    if (!p.within && p.area() > 0 && p.area() <= most)
      pages += message(pages.empty() ? "" : ", ", p.number, " (", size_of(p), ")");
  if (pages.empty()) return;  // refused by its size alone
  throw IoError(
      message(file.source().where, ": TIFF: page ", page.number, " has ", size_of(page), ", at most ", limit,
              " are read at once: whole slides are not read; cut it into tiles or export a region as TIFF or ",
              "PNG (QuPath: File, Export images; or vips crop), or take a smaller page by --page: ", pages));
}

PixelSize pixel_size_of(const TiffFile& file, const TiffChoice& choice, const TiffPage& page, const TiffPage& full) {
  const TiffDescription& d = choice.description;
  const double scale = static_cast<double>(full.width) / static_cast<double>(page.width);
  const double scale_down = static_cast<double>(full.height) / static_cast<double>(page.height);
  const bool same_field = std::abs(scale / scale_down - 1) < 0.02;
  if (d.pixel_size.known())
    return same_field ? stated_size(scale * d.pixel_size.x, scale * d.pixel_size.y, d.pixel_size.source) : PixelSize{};
  float x = 0, y = 0;
  if (TIFFGetField(file.get(), TIFFTAG_XRESOLUTION, &x) != 1 || TIFFGetField(file.get(), TIFFTAG_YRESOLUTION, &y) != 1)
    return {};
  if (d.um_per_unit != 0) return resolution_size(x, y, d.um_per_unit, "ImageJ unit");
  const int unit = file.field16(TIFFTAG_RESOLUTIONUNIT, RESUNIT_INCH);
  if (unit != RESUNIT_INCH && unit != RESUNIT_CENTIMETER) return {};
  return resolution_size(x, y, unit == RESUNIT_INCH ? 25400 : 10000, "TIFF resolution");
}

void look_up(const std::vector<std::uint8_t>& palette, const std::uint8_t* indices, Index count,
             std::vector<std::uint8_t>& rgb) {
  rgb.clear();
  for (Index i = 0; i < count; ++i)
    rgb.insert(rgb.end(), palette.begin() + 3 * indices[i], palette.begin() + 3 * indices[i] + 3);
}

void read_rows(const EncodedImage& source, const TiffSamples& samples, const TiffColour& colour,
               SampleConverter& converter) {
  using Way = TiffColour::Way;
  const auto add = [&](void* row, Index y, Index x, Index count) { converter.add_row(row, y, x, count); };
  if (colour.way == Way::direct) return read_tiff_rows(source, samples, add);
  if (colour.way == Way::by_libtiff) return read_tiff_as_rgb(source, samples, add);
  std::vector<std::uint8_t> rgb;
  read_tiff_rows(source, samples, [&](void* row, Index y, Index x, Index count) {
    if (colour.way == Way::palette) {
      look_up(colour.palette, static_cast<std::uint8_t*>(row), count, rgb);
      return add(rgb.data(), y, x, count);
    }
    if (samples.bits == 8)
      cielab_to_rgb(static_cast<std::uint8_t*>(row), count);
    else
      cielab_to_rgb(static_cast<std::uint16_t*>(row), count);
    add(row, y, x, count);
  });
}

}  // namespace

Picture decode_tiff(const EncodedImage& source) {
  TiffFile file(source);
  refuse_relatives(file);
  const TiffChoice choice = [&] {
    TiffFile listed(source);  // of its own: an error in a page that is not wanted does not matter
    return choose_pages(listed);
  }();
  check_size_of(file, choice);
  const TiffPage& page = choice.planes[0];
  file.select(page.directory);
  TiffSamples samples = samples_of(file);
  const bool joined = choice.planes.size() > 1;
  if (joined) {
    samples.directories.clear();
    for (const TiffPage& plane : choice.planes) samples.directories.push_back(plane.directory);
    samples.channels = static_cast<Index>(choice.planes.size());
  }
  const TiffColour colour = colour_of(file, samples, choice.description, joined);
  if (colour.way == TiffColour::Way::cielab) samples.format = SAMPLEFORMAT_UINT;  // its signs are cielab_to_rgb's
  Canvas canvas(source, "TIFF", samples.width, samples.height, picture_bits(colour.layout.type),
                file.field16(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT));
  for (const std::string& note : choice.notes) canvas.note(note);
  canvas.set_pixel_size(pixel_size_of(file, choice, page, choice.full));
  SampleConverter converter(canvas, colour.layout);
  do read_rows(source, samples, colour, converter);
  while (converter.again());
  return std::move(canvas).take();
}

}  // namespace nucdet::io::detail
