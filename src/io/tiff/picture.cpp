#include "nucdet/core/error.hpp"

#include "../foreign_formats.hpp"
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
  throw IoError(message(file.source().where, ": TIFF: page ", page.number, " has ", size_of(page), ", at most ", limit,
                        " are read at once: whole slides are for nucdet detect and slide; cut it into tiles or export "
                        "a region as TIFF or ",
                        "PNG (QuPath: File, Export images; or vips crop), or take a smaller page by --page: ", pages));
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
  std::vector<std::uint64_t> directories;
  for (const TiffPage& plane : choice.planes) directories.push_back(plane.directory);
  const TiffEncoding encoding = encoding_of(file, directories, choice.description);
  const auto& [samples, colour] = encoding;
  Canvas canvas(source, "TIFF", samples.width, samples.height, picture_bits(colour.layout.type),
                file.field16(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT));
  for (const std::string& note : choice.notes) canvas.note(note);
  canvas.set_pixel_size(pixel_size_of(file, choice.description, page, choice.full));
  SampleConverter converter(canvas, colour.layout);
  const TiffRowSink add = converting_sink(encoding, converter);
  const bool as_rgb = colour.way == TiffColour::Way::by_libtiff;
  do (as_rgb ? read_tiff_as_rgb : read_tiff_rows)(source, samples, add);
  while (converter.again());
  return std::move(canvas).take();
}

}  // namespace nucdet::io::detail
