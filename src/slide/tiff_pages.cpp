#include "tiff_pages.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "nucdet/core/ascii.hpp"
#include "nucdet/core/error.hpp"

#include "io/tiff/lanes.hpp"
#include "rectangles.hpp"
#include "tiff_pyramid.hpp"

namespace nucdet::slide::detail {

using namespace io::detail;

namespace {

constexpr double kProportions = 0.01;                           // by which those of levels may differ
constexpr tmsize_t kMostTileBytes = tmsize_t{1} << 28;          // as they are stored, of all planes
constexpr double kCoarser = 0.8;                                // of the width of the level before, at most
constexpr std::array kNames = {"label", "macro", "thumbnail"};  // as OpenSlide calls them
constexpr std::size_t kNameLength = 10;                         // of Aperio's second lines: "label 415x422"

/// Whether two pages show the same field: a level's sides are whole pixels, cut or rounded up.
bool same_field(const TiffPage& full, const TiffPage& page) {
  const double scale = static_cast<double>(full.width) / static_cast<double>(page.width);
  const double height = static_cast<double>(full.height) / scale;
  const double slack = std::max(kProportions * height, 1 + height / static_cast<double>(page.width));
  return std::abs(static_cast<double>(page.height) - height) <= slack;
}

/// At the page: whether it can be a level of a slide whose samples are those of `full`.
bool is_level(const TiffFile& file, const TiffPage& page, const TiffSlide& slide) {
  if (page.width < 1 || page.height < 1 || !same_field(slide.levels[0].page, page)) return false;
  if (TIFFIsTiled(file.get()) == 0 || (file.field(TIFFTAG_SUBFILETYPE, 0) & FILETYPE_MASK) != 0) return false;
  const TiffSamples& full = slide.levels[0].encoding.samples;
  return file.field16(TIFFTAG_BITSPERSAMPLE, 1) == full.bits &&
         file.field16(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT) == full.format;
}

/// The pages that belong to one of the planes of level 0 in the same order: its SubIFDs, or else the other pages.
std::vector<TiffPage> below(const TiffChoice& choice, const TiffPage& plane) {
  std::vector<TiffPage> within, others;
  for (const TiffPage& page : choice.pages) {
    if (page.within && page.number == plane.number) within.push_back(page);
    if (!page.within && page.number != plane.number) others.push_back(page);
  }
  return !within.empty() || choice.planes.size() > 1 ? within : others;
}

void add_levels(TiffFile& file, const TiffChoice& choice, TiffSlide& slide) {
  std::vector<std::vector<TiffPage>> planes;
  for (const TiffPage& plane : choice.planes) planes.push_back(below(choice, plane));
  const Index channels = slide.levels[0].page.samples;
  for (std::size_t i = 0; i < planes[0].size(); ++i) {
    const TiffPage& page = planes[0][i];
    file.select(page.directory);
    if (page.samples != channels || !is_level(file, page, slide)) continue;
    TiffLevel level{.page = page, .directories = {}, .encoding = {}};
    for (const auto& plane : planes)
      if (i < plane.size() && plane[i].width == page.width && plane[i].height == page.height)
        level.directories.push_back(plane[i].directory);
    if (level.directories.size() == planes.size()) slide.levels.push_back(std::move(level));
  }
  std::stable_sort(slide.levels.begin(), slide.levels.end(),
                   [](const TiffLevel& a, const TiffLevel& b) { return a.page.width > b.page.width; });
  // unique compares each with the last one that stays.
  const auto no_coarser = [](const TiffLevel& kept, const TiffLevel& next) {
    return static_cast<double>(next.page.width) > kCoarser * static_cast<double>(kept.page.width);
  };
  slide.levels.erase(std::unique(slide.levels.begin(), slide.levels.end(), no_coarser), slide.levels.end());
}

/// Settles a level's tiles.
void check_page(TiffFile& file, TiffLevel& level) {
  const TiffPage& page = level.page;
  file.select(page.directory);
  if (page.width > kMostLevelSide || page.height > kMostLevelSide)
    throw IoError(message(file.source().where, ": TIFF: page ", page.number, " of ", size_of(page), ", at most ",
                          kMostLevelSide, " along a side are read"));
  const int orientation = file.field16(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  if (orientation > ORIENTATION_TOPLEFT && orientation <= ORIENTATION_LEFTBOT)
    throw IoError(message(file.source().where, ": TIFF: page ", page.number, " is to be shown turned or mirrored ",
                          "(orientation ", orientation, "): slides are read as they are stored; save it upright"));
  const Index width = level.tile_width = file.field(TIFFTAG_TILEWIDTH, 0),
              height = level.tile_height = file.field(TIFFTAG_TILELENGTH, 0);
  if (width < 1 || height < 1 || height > kMostTilePixels / width)
    throw IoError(message(file.source().where, ": TIFF: tiles of ", width, " x ", height, " pixels, at most ",
                          kMostTilePixels, " are decoded at once"));
  const TiffSamples& samples = level.encoding.samples;
  const Index planes = samples.separate || level.directories.size() > 1 ? samples.channels : 1;
  if (TIFFTileSize(file.get()) > kMostTileBytes / planes)
    throw IoError(message(file.source().where, ": TIFF: tiles of ", TIFFTileSize(file.get()), " bytes in each of ",
                          planes, " planes, at most ", kMostTileBytes, " are decoded at once"));
  if (!samples.jpeg2000() && level.encoding.colour.way != TiffColour::Way::by_libtiff)
    check_codec(samples, file.source().where);
}

std::string small(std::string text) {
  for (char& c : text) c = small_letter(c);
  return text;
}

void add_associated(TiffFile& file, const TiffChoice& choice, TiffSlide& slide) {
  const bool aperio = choice.description.source == "Aperio text";
  for (const TiffPage& page : choice.pages) {
    const bool level = std::any_of(slide.levels.begin(), slide.levels.end(),
                                   [&](const TiffLevel& l) { return l.page.directory == page.directory; });
    if (level || page.within) continue;
    file.select(page.directory);
    std::string text = small(file.text(TIFFTAG_IMAGEDESCRIPTION));
    if (aperio) text = text.substr(std::min(text.size(), text.find('\n') + 1), kNameLength);
    std::string called;
    for (const char* name : kNames)
      if (text.find(name) != text.npos && called.empty()) called = name;
    if (called.empty() && aperio && page.number == 2) called = "thumbnail";
    if (!called.empty()) slide.associated.emplace(called, page.number);
  }
}

/// The pages, of a file of their own: an error in one that is not wanted does not matter.
TiffChoice choose(const EncodedImage& source) {
  TiffFile listed(source);
  return choose_pages(listed);
}

/// Without colours.
TiffSlide list_levels(TiffFile& file, const TiffChoice& choice) {
  TiffSlide slide;
  const TiffPage& full = choice.planes[0];
  file.select(full.directory);
  if (TIFFIsTiled(file.get()) == 0)
    throw IoError(message(file.source().where, ": TIFF: its largest picture, ", size_of(full),
                          ", is not stored in tiles, wanted a tiled TIFF (QuPath: OME-TIFF; vips tiffsave --tile)"));
  TiffLevel level{.page = full, .directories = {}, .encoding = {}};
  for (const TiffPage& plane : choice.planes) level.directories.push_back(plane.directory);
  level.encoding.samples = samples_of(file);
  slide.levels.push_back(std::move(level));
  slide.pixel_size = pixel_size_of(file, choice.description, full, choice.full);
  add_levels(file, choice, slide);
  return slide;
}

TiffSlide readable_levels(TiffFile& file, const TiffChoice& choice) {
  TiffSlide slide = list_levels(file, choice);
  for (TiffLevel& level : slide.levels) {
    level.encoding = encoding_of(file, level.directories, choice.description);
    check_page(file, level);
  }
  return slide;
}

}  // namespace

TiffSlide find_levels(const EncodedImage& source) {
  const TiffChoice choice = choose(source);
  TiffFile file(source);
  TiffSlide slide = readable_levels(file, choice);
  add_associated(file, choice, slide);
  return slide;
}

bool is_pyramid(const EncodedImage& source) {
  const TiffChoice choice = choose(source);
  TiffFile file(source);
  file.select(choice.planes[0].directory);
  if (TIFFIsTiled(file.get()) == 0) return false;
  const TiffSlide slide = readable_levels(file, choice);
  const bool aperio = choice.description.source == "Aperio text";  // a slide by OpenSlide, and so without it
  const Index most = aperio ? kSmallestSlide - 1 : static_cast<Index>(io::PictureOptions{}.pixels);
  return slide.levels.size() > 1 || slide.levels[0].page.area() > static_cast<double>(most);
}

}  // namespace nucdet::slide::detail
