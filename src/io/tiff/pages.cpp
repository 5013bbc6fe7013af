#include "pages.hpp"

#include <algorithm>
#include <cmath>

#include "nucdet/core/error.hpp"

#include "../pixel_size.hpp"

namespace nucdet::io::detail {

namespace {

constexpr std::size_t kMostPages = 65536;

TiffPage page_at(const TiffFile& file, Index number, bool within) {
  const std::uint32_t subfile = file.field(TIFFTAG_SUBFILETYPE, 0);
  std::uint16_t old_type = 0;
  TIFFGetField(file.get(), TIFFTAG_OSUBFILETYPE, &old_type);
  return {TIFFCurrentDirOffset(file.get()),
          number,
          within,
          file.field(TIFFTAG_IMAGEWIDTH, 0),
          file.field(TIFFTAG_IMAGELENGTH, 0),
          file.field16(TIFFTAG_SAMPLESPERPIXEL, 1),
          (subfile & (FILETYPE_REDUCEDIMAGE | FILETYPE_MASK)) != 0 || old_type == OFILETYPE_REDUCEDIMAGE};
}

Index count_pages(const std::vector<TiffPage>& all) {
  return std::count_if(all.begin(), all.end(), [](const TiffPage& p) { return !p.within; });
}

TiffPage named_page(const TiffFile& file, const std::vector<TiffPage>& all, Index wanted) {
  for (const TiffPage& page : all)
    if (!page.within && page.number == wanted) return page;
  throw IoError(
      message(file.source().where, ": TIFF: page ", wanted, " was asked for, the file has ", count_pages(all)));
}

/// The largest pictures, all of one size.
std::vector<TiffPage> largest_of(const std::vector<TiffPage>& all) {
  const bool all_reduced = std::all_of(all.begin(), all.end(), [](const TiffPage& p) { return p.reduced; });
  std::vector<TiffPage> largest;
  for (const TiffPage& page : all) {
    if ((page.reduced && !all_reduced) || page.area() < 1) continue;
    if (!largest.empty() && page.area() > largest[0].area()) largest.clear();
    if (largest.empty() || (page.width == largest[0].width && page.height == largest[0].height))
      largest.push_back(page);
  }
  return largest;
}

/// Red, green and blue, if that is what the description says that three pages are.
bool are_planes(const std::vector<TiffPage>& pages, const TiffDescription& d) {
  return pages.size() == 3 && d.channels == 3 && d.samples == 1 && d.others == 1 &&
         std::all_of(pages.begin(), pages.end(), [](const TiffPage& p) { return p.samples == 1 && !p.within; });
}

void order_planes(std::vector<TiffPage>& planes, const TiffDescription& d) {
  std::vector<TiffPage> ordered;
  for (const Index wanted : d.pages)
    for (const TiffPage& page : planes)
      if (page.number == wanted + 1) ordered.push_back(page);
  if (ordered.size() == planes.size()) planes = ordered;
}

[[noreturn]] void refuse_stack(const TiffFile& file, const std::vector<TiffPage>& pages, const TiffDescription& d) {
  const std::string_view where = file.source().where;
  const std::string way_out = message("take one by its number (--page ", pages.front().number, " to ",
                                      pages.back().number, "), or export the picture as RGB (QuPath, ImageJ)");
  if (d.channels > 1 && d.samples == 1 && d.others == 1)
    throw IoError(message(where, ": TIFF: ", d.channels, " channels, says its ", d.source, ", in ", pages.size(),
                          " pages of ", size_of(pages[0]), "; wanted one RGB or grey picture: ", way_out));
  const std::string_view why = d.unread_xml ? " (its OME-XML may: this build was made without pugixml)" : "";
  throw IoError(message(where, ": TIFF: ", pages.size(), " pages of ", size_of(pages[0]),
                        ", and nothing says that they are one picture", why, "; a stack is not read: ", way_out));
}

/// ImageJ writes large stacks with a directory for the first picture only.
void refuse_hidden_stack(const TiffFile& file, const std::vector<TiffPage>& all, const TiffDescription& d) {
  const Index images = d.channels * d.others;
  if (d.source != "ImageJ text" || images <= count_pages(all) || images <= 1) return;
  throw IoError(message(file.source().where, ": TIFF: ImageJ's text says ", images, " pictures, of which ",
                        count_pages(all), " can be found as pages: save the one that you want as a TIFF of its own"));
}

}  // namespace

std::string size_of(const TiffPage& page) { return message(page.width, " x ", page.height, " pixels"); }

std::vector<TiffPage> list_pages(TiffFile& file) {
  std::vector<TiffPage> pages;
  std::vector<std::pair<Index, std::uint64_t>> within;
  do {
    const Index number = static_cast<Index>(pages.size()) + 1;
    pages.push_back(page_at(file, number, false));
    std::uint16_t count = 0;
    std::uint64_t* offsets = nullptr;
    if (TIFFGetField(file.get(), TIFFTAG_SUBIFD, &count, &offsets) == 1)
      for (int i = 0; i < count && within.size() < kMostPages; ++i) within.emplace_back(number, offsets[i]);
  } while (pages.size() < kMostPages && TIFFReadDirectory(file.get()) != 0);
  for (const auto& [number, offset] : within)
    if (TIFFSetSubDirectory(file.get(), offset) != 0) pages.push_back(page_at(file, number, true));
  return pages;
}

TiffChoice choose_pages(TiffFile& file) {
  const std::string first_text = file.text(TIFFTAG_IMAGEDESCRIPTION);
  const std::vector<TiffPage> all = list_pages(file);
  const auto& wanted = file.source().options.page;
  TiffChoice choice{.pages = all};
  choice.planes = largest_of(all);
  if (choice.planes.empty()) throw IoError(message(file.source().where, ": TIFF: no page has pixels"));
  choice.full = choice.planes[0];
  choice.description = read_description(first_text, choice.full.width, choice.full.height);
  if (wanted) {
    choice.planes = {named_page(file, all, *wanted)};
  } else if (are_planes(choice.planes, choice.description)) {
    order_planes(choice.planes, choice.description);
    choice.notes.push_back(
        message("three pages joined as red, green and blue, as its ", choice.description.source, " says"));
    return choice;
  } else if (choice.planes.size() > 1) {
    refuse_stack(file, choice.planes, choice.description);
  } else {
    refuse_hidden_stack(file, all, choice.description);
  }
  const TiffPage& taken = choice.planes[0];
  if (count_pages(all) > 1 || taken.within)
    choice.notes.push_back(message(taken.within ? "a picture within page " : "page ", taken.number, " of ",
                                   count_pages(all), " was taken: ", size_of(taken)));
  return choice;
}

PixelSize pixel_size_of(const TiffFile& file, const TiffDescription& d, const TiffPage& page, const TiffPage& full) {
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

}  // namespace nucdet::io::detail
