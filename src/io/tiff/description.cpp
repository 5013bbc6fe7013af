#include "description.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#ifdef NUCDET_WITH_PUGIXML
#include <pugixml.hpp>
#endif

#include "../pixel_size.hpp"

namespace nucdet::io::detail {

namespace {

std::optional<double> number(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  double value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
  return value;
}

/// "key=value" of a line, spaces around the "=" allowed; `text` is cut at `end`.
std::optional<std::string_view> value_of(std::string_view text, std::string_view key, std::string_view ends) {
  for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
    if (at > 0 && ends.find(text[at - 1]) == ends.npos && text[at - 1] != ' ') continue;
    std::string_view rest = text.substr(at + key.size());
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (rest.empty() || rest.front() != '=') continue;
    rest = rest.substr(1, rest.find_first_of(ends) - 1);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    while (!rest.empty() && rest.back() == ' ') rest.remove_suffix(1);
    return rest;
  }
  return {};
}

Index count_of(std::string_view text, std::string_view key) {
  const auto value = value_of(text, key, "\r\n");
  const auto count = value ? number(*value) : std::nullopt;
  return count && *count >= 1 && *count < 1e6 ? static_cast<Index>(*count) : 1;
}

TiffDescription read_imagej(std::string_view text) {
  TiffDescription d{.source = "ImageJ text"};
  const Index images = count_of(text, "images");
  d.channels = count_of(text, "channels");
  d.others = count_of(text, "slices") * count_of(text, "frames");
  if (images > d.channels * d.others) d.others = images / d.channels;
  if (const auto unit = value_of(text, "unit", "\r\n")) d.um_per_unit = um_of(*unit).value_or(-1);
  return d;
}

TiffDescription read_aperio(std::string_view text) {
  TiffDescription d{.source = "Aperio text"};
  const auto value = value_of(text, "MPP", "|\r\n");
  const auto mpp = value ? number(*value) : std::nullopt;
  if (mpp) d.pixel_size = stated_size(*mpp, *mpp, "Aperio MPP");
  // Pixels of 40x are 0.25 um large, more or less.
  const auto power = d.pixel_size.known() ? std::nullopt : value_of(text, "AppMag", "|\r\n");
  const auto magnification = power ? number(*power) : std::nullopt;
  if (magnification && *magnification > 0)
    d.pixel_size = stated_size(10 / *magnification, 10 / *magnification, "Aperio AppMag");
  return d;
}

#ifdef NUCDET_WITH_PUGIXML

double ome_size(const pugi::xml_node& pixels, const char* attribute, const char* unit) {
  const auto value = number(pixels.attribute(attribute).value());
  const char* const name = pixels.attribute(unit).value();
  const auto um = *name == '\0' ? std::optional<double>(1.0) : um_of(name);
  return value && um ? *value * *um : 0;
}

/// The page of each channel, where every channel has one.
std::vector<Index> ome_pages(const pugi::xml_node& pixels, Index channels) {
  std::vector<Index> pages(static_cast<std::size_t>(channels), -1);
  for (const pugi::xml_node& data : pixels.children("TiffData")) {
    const Index channel = data.attribute("FirstC").as_llong(0), page = data.attribute("IFD").as_llong(-1);
    if (channel < 0 || channel >= channels || page < 0) return {};
    if (data.attribute("PlaneCount").as_llong(1) != 1) return {};
    pages[static_cast<std::size_t>(channel)] = page;
  }
  for (const Index page : pages)
    if (page < 0) return {};
  return pages;
}

TiffDescription read_ome(const std::string& text, Index width, Index height) {
  TiffDescription d{.source = "OME-XML"};
  pugi::xml_document document;
  if (!document.load_buffer(text.data(), text.size())) return {};
  pugi::xml_node pixels;
  for (const pugi::xml_node& image : document.child("OME").children("Image")) {
    const pugi::xml_node one = image.child("Pixels");
    const bool fits = one.attribute("SizeX").as_llong(0) == width && one.attribute("SizeY").as_llong(0) == height;
    if (!pixels || fits) pixels = one;
    if (fits) break;
  }
  if (!pixels) return {};
  const auto count = [&](const char* name) {
    const long long value = pixels.attribute(name).as_llong(1);
    return value >= 1 && value < 1000000 ? static_cast<Index>(value) : Index{1};
  };
  d.channels = count("SizeC");
  d.samples = std::max<Index>(1, pixels.child("Channel").attribute("SamplesPerPixel").as_llong(1));
  d.others = count("SizeZ") * count("SizeT");
  d.significant_bits = pixels.attribute("SignificantBits").as_int(0);
  if (d.channels == Picture::kChannels) d.pages = ome_pages(pixels, d.channels);
  d.pixel_size = stated_size(ome_size(pixels, "PhysicalSizeX", "PhysicalSizeXUnit"),
                             ome_size(pixels, "PhysicalSizeY", "PhysicalSizeYUnit"), "OME PhysicalSizeX");
  return d;
}

#else

TiffDescription read_ome(const std::string&, Index, Index) { return {.unread_xml = true}; }

#endif

}  // namespace

TiffDescription read_description(const std::string& text, Index width, Index height) {
  if (text.rfind("ImageJ=", 0) == 0) return read_imagej(text);
  if (text.rfind("Aperio", 0) == 0 || text.find("|MPP") != text.npos) return read_aperio(text);
  const std::size_t root = text.find("<OME");
  if (root != text.npos && root < 4096 && text.find_first_not_of("\xEF\xBB\xBF \t\r\n") == text.find('<'))
    return read_ome(text, width, height);
  return {};
}

}  // namespace nucdet::io::detail
