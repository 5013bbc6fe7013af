#include "label_mask.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "nucdet/core/error.hpp"

#include "byte_reading.hpp"
#include "canvas.hpp"
#include "exif.hpp"
#include "label_runs.hpp"
#include "png_chunks.hpp"
#include "png_rows.hpp"
#include "tiff/pages.hpp"
#include "tiff/rows.hpp"

namespace nucdet::io::detail {

namespace {

constexpr double kLargest = 4294967295.0;

[[noreturn]] void refuse(std::string_view where, std::string_view found) {
  throw IoError(message(where, ": ", found, ", wanted a label mask: PNG or TIFF of one channel, 0 for the background ",
                        "and a whole number for each nucleus"));
}

template <class T>
std::uint32_t label_of(T value, std::string_view where) {
  const double number = static_cast<double>(value);
  if (!(number >= 0 && number <= kLargest) || number != std::floor(number))
    refuse(where, message("the value ", number, " is no label"));
  return static_cast<std::uint32_t>(number);
}

template <class T>
void add_row(const T* values, Index y, Index x, Index count, std::string_view where, std::vector<LabelRun>& runs) {
  for (Index i = 0; i < count; ++i) {
    if (values[i] == T{0}) continue;
    const Index begin = i;
    while (i + 1 < count && values[i + 1] == values[begin]) ++i;
    runs.push_back({y, x + begin, x + i + 1, label_of(values[begin], where)});
  }
}

void add_row(SampleType type, const void* row, Index y, Index x, Index count, std::string_view where,
             std::vector<LabelRun>& runs) {
  const auto add = [&](const auto* values) { add_row(values, y, x, count, where, runs); };
  switch (type) {
    case SampleType::u8:
      return add(static_cast<const std::uint8_t*>(row));
    case SampleType::u16:
      return add(static_cast<const std::uint16_t*>(row));
    case SampleType::i16:
      return add(static_cast<const std::int16_t*>(row));
    case SampleType::u32:
      return add(static_cast<const std::uint32_t*>(row));
    case SampleType::i32:
      return add(static_cast<const std::int32_t*>(row));
    case SampleType::f32:
      return add(static_cast<const float*>(row));
    case SampleType::f64:
      return add(static_cast<const double*>(row));
  }
}

struct Mask {
  Index width = 0, height = 0;
  int orientation = 1;
  std::vector<LabelRun> runs{};
};

Mask read_png_mask(const EncodedImage& source) {
  Mask mask{.orientation = exif_orientation(png_chunk(source.bytes, "eXIf"))};
  read_png(source, PngSamples::numbers, [&](const PngHeader& h, Index channels, int bits) -> PngRowSink {
    if (channels != 1) refuse(source.where, message("a picture of ", channels, " channels"));
    mask.width = h.width, mask.height = h.height;
    const SampleType type = bits == 16 ? SampleType::u16 : SampleType::u8;
    return [&, type](const void* row, Index y) { add_row(type, row, y, 0, mask.width, source.where, mask.runs); };
  });
  return mask;
}

Mask read_tiff_mask(const EncodedImage& source) {
  TiffFile file(source);
  const std::vector<TiffPage> pages = choose_pages(file).planes;
  if (pages.size() != 1) refuse(source.where, message("a picture of ", pages.size(), " channels"));
  file.select(pages[0].directory);
  const TiffSamples samples = samples_of(file);
  if (samples.channels != 1) refuse(source.where, message("a picture of ", samples.channels, " channels"));
  const SampleType type = type_of(samples, source.where);
  Mask mask{samples.width, samples.height, file.field16(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT)};
  read_tiff_rows(source, samples, [&](void* row, Index y, Index x, Index count) {
    add_row(type, row, y, x, count, source.where, mask.runs);
  });
  // Tiles come one after the other: their runs are put in the order of rows.
  std::sort(mask.runs.begin(), mask.runs.end(),
            [](const LabelRun& a, const LabelRun& b) { return a.y != b.y ? a.y < b.y : a.begin < b.begin; });
  return mask;
}

/// In masks by other rules the background may be white.
void check_background(const MaskNuclei& nuclei, const Mask& mask, std::string_view where) {
  constexpr double kSmallestMask = 10000, kMost = 0.5;
  const double pixels = static_cast<double>(mask.width) * static_cast<double>(mask.height);
  if (pixels >= kSmallestMask && nuclei.largest > kMost * pixels)
    refuse(where, message("a nucleus of ", std::lround(100 * nuclei.largest / pixels), " % of the picture"));
}

}  // namespace

Annotations label_centroids(std::span<const std::byte> bytes, std::string_view where) {
  const EncodedImage source{bytes, where};
  const bool png = is_png(bytes);
  if (!png && !is_tiff(bytes)) refuse(where, bytes.empty() ? "an empty file" : "neither PNG nor TIFF");
  const Mask mask = png ? read_png_mask(source) : read_tiff_mask(source);
  MaskNuclei nuclei = nuclei_of(mask.runs);
  check_background(nuclei, mask, where);
  Annotations found{.points = std::move(nuclei.centroids), .format = "label mask"};
  found.width = mask.width, found.height = mask.height;
  if (mask.orientation > 4) std::swap(found.width, found.height);
  for (Point& p : found.points) p = turned(p, mask.width, mask.height, mask.orientation);
  if (nuclei.values == MaskValues::nuclei && 2 * nuclei.pieces > 3 * nuclei.labels)
    found.notes.push_back(
        message(nuclei.labels, " values in ", nuclei.pieces,
                " pieces: each value was taken for one nucleus; is it a mask of classes or of shades?"));
  if (nuclei.values == MaskValues::classes)
    for (const std::uint32_t value : nuclei.value_of) found.classes.push_back(std::to_string(value));
  if (nuclei.values != MaskValues::nuclei && found.points.size() > 1)
    found.notes.push_back(message("a mask of ",
                                  nuclei.values == MaskValues::one ? "one value" : "few values in many pieces",
                                  ": the pixels that touch, also at corners, were taken for one nucleus",
                                  nuclei.values == MaskValues::one ? "" : ", its value for the class"));
  return found;
}

}  // namespace nucdet::io::detail
