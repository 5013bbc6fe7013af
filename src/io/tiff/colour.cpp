#include "colour.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "nucdet/core/error.hpp"

#include "cielab.hpp"

namespace nucdet::io::detail {

namespace {

[[noreturn]] void refuse_channels(const TiffFile& file, Index channels, std::string_view what) {
  throw IoError(message(file.source().where, ": TIFF: ", channels, " channels", what,
                        ", wanted grey or RGB, with or without alpha: export the picture as RGB (QuPath, ImageJ)"));
}

/// What the tags say of the channels behind the colours.
void set_extras(const TiffFile& file, SampleLayout& layout) {
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(file.get(), TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1) count = 0;
  Index unexplained = 0;
  for (Index c = layout.colours; c < layout.channels; ++c) {
    const Index extra = c - layout.colours;
    const int kind = extra < count ? kinds[extra] : EXTRASAMPLE_UNSPECIFIED;
    if (kind == EXTRASAMPLE_ASSOCALPHA || kind == EXTRASAMPLE_UNASSALPHA) {
      if (layout.alpha >= 0) continue;
      layout.alpha = c;
      layout.premultiplied = kind == EXTRASAMPLE_ASSOCALPHA;
    } else {
      layout.unexplained = c;
      ++unexplained;
    }
  }
  // One channel beside red, green and blue (infrared, a mask) leaves no doubt of the colours.
  if (unexplained > (layout.colours >= 3 ? 1 : 0))
    refuse_channels(file, layout.channels, ", of which the file does not say what they are");
}

std::vector<std::uint8_t> palette_of(const TiffFile& file, int bits) {
  std::uint16_t *red = nullptr, *green = nullptr, *blue = nullptr;
  if (bits > 8 || TIFFGetField(file.get(), TIFFTAG_COLORMAP, &red, &green, &blue) != 1)
    file.fail("a palette that is missing, or of more than 256 colours");
  const int count = 1 << bits;
  bool wide = false;  // some writers fill a palette with bytes
  for (int i = 0; i < count; ++i) wide = wide || red[i] > 255 || green[i] > 255 || blue[i] > 255;
  std::vector<std::uint8_t> palette;
  for (int i = 0; i < count; ++i)
    for (const std::uint16_t value : {red[i], green[i], blue[i]})
      palette.push_back(static_cast<std::uint8_t>(wide ? value >> 8 : value));
  return palette;
}

/// A depth below the samples' own that the tags speak of; 0: none.
int hinted_bits(const TiffFile& file, const TiffDescription& description) {
  if (description.significant_bits > 0) return description.significant_bits;
  std::uint16_t most = 0;
  if (TIFFGetField(file.get(), TIFFTAG_MAXSAMPLEVALUE, &most) == 1 && most > 0) return std::bit_width(most);
  double largest = 0;
  if (TIFFGetField(file.get(), TIFFTAG_SMAXSAMPLEVALUE, &largest) == 1 && largest >= 1 && largest < 65536)
    return static_cast<int>(std::bit_width(static_cast<unsigned>(std::ceil(largest))));
  return 0;
}

void set_range(const TiffFile& file, const TiffSamples& s, const TiffDescription& description, SampleLayout& layout) {
  layout.type = type_of(s, file.source().where);
  layout.range = full_range(layout.type);
  layout.range_is_declared = s.bits < 16;
  if (s.bits < 16) {
    layout.range.white = static_cast<double>((1 << s.bits) - 1);
    return;
  }
  if (s.format == SAMPLEFORMAT_IEEEFP) return;
  layout.hinted_bits = hinted_bits(file, description);
  double least = 0, most = 0;
  const bool declared = TIFFGetField(file.get(), TIFFTAG_SMINSAMPLEVALUE, &least) == 1 &&
                        TIFFGetField(file.get(), TIFFTAG_SMAXSAMPLEVALUE, &most) == 1;
  if (!declared || !(least < 0) || !(most > least) || s.format != SAMPLEFORMAT_INT) return;
  layout.range = {least, most, message("values from ", least, " (black) to ", most, " (white), as the file says")};
  layout.range_is_declared = true;
}

void look_up(const std::vector<std::uint8_t>& palette, const std::uint8_t* indices, Index count,
             std::vector<std::uint8_t>& rgb) {
  rgb.clear();
  for (Index i = 0; i < count; ++i)
    rgb.insert(rgb.end(), palette.begin() + 3 * indices[i], palette.begin() + 3 * indices[i] + 3);
}

/// The number of colours of what needs no conversion; 0 of what does.
Index plain_colours(const TiffFile& file, const TiffSamples& s, const TiffDescription& d, bool joined) {
  std::uint16_t told = 0;
  const bool tagged = TIFFGetField(file.get(), TIFFTAG_PHOTOMETRIC, &told) == 1;
  const int photometric = file.field16(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  const bool ycc_codec = s.compression == COMPRESSION_JPEG || s.jpeg2000();  // it hands on RGB
  if (joined || (photometric == PHOTOMETRIC_YCBCR && ycc_codec && s.channels == 3)) return 3;
  if (photometric == PHOTOMETRIC_RGB) return s.channels >= 3 ? 3 : 1;
  if (photometric == PHOTOMETRIC_SEPARATED) return 4;
  if (photometric != PHOTOMETRIC_MINISBLACK && photometric != PHOTOMETRIC_MINISWHITE) return 0;
  if (s.channels >= 3 && s.channels <= 4 && (!tagged || d.samples >= 3 || d.channels == 3)) return 3;
  return 1;
}

}  // namespace

TiffColour colour_of(const TiffFile& file, const TiffSamples& s, const TiffDescription& description, bool joined) {
  const int photometric = file.field16(TIFFTAG_PHOTOMETRIC, PHOTOMETRIC_MINISBLACK);
  TiffColour colour;
  SampleLayout& layout = colour.layout;
  layout.channels = s.channels;
  layout.colours = plain_colours(file, s, description, joined);
  if (photometric == PHOTOMETRIC_PALETTE) {
    if (s.channels != 1) refuse_channels(file, s.channels, " with a palette");
    colour.way = TiffColour::Way::palette;
    colour.palette = palette_of(file, s.bits);
    layout = {};
  } else if (layout.colours > 0) {
    if (layout.colours > s.channels ||
        (photometric == PHOTOMETRIC_SEPARATED && file.field16(TIFFTAG_INKSET, INKSET_CMYK) != INKSET_CMYK))
      refuse_channels(file, s.channels, " of inks that are not CMYK");
    if (!joined) set_extras(file, layout);
    set_range(file, s, description, layout);
    layout.inverted = layout.colours == 1 && photometric == PHOTOMETRIC_MINISWHITE;
  } else if (photometric == PHOTOMETRIC_CIELAB && s.channels == 3 && (s.bits == 8 || s.bits == 16)) {
    colour.way = TiffColour::Way::cielab;
    layout = {.type = s.bits == 8 ? SampleType::u8 : SampleType::u16};
    layout.range = full_range(layout.type);
  } else if (photometric == PHOTOMETRIC_YCBCR) {
    colour.way = TiffColour::Way::by_libtiff;
    layout = {};
  } else {
    throw IoError(message(file.source().where, ": TIFF: colours of kind ", photometric,
                          " (PhotometricInterpretation; LogLuv, raw camera data or a mask) are not read, wanted grey, ",
                          "RGB, palette, CMYK, YCbCr or CIELAB: export the picture as RGB"));
  }
  return colour;
}

TiffEncoding encoding_of(TiffFile& file, const std::vector<std::uint64_t>& directories,
                         const TiffDescription& description) {
  file.select(directories[0]);
  TiffEncoding e{samples_of(file), {}};
  const bool joined = directories.size() > 1;
  if (joined) {
    e.samples.directories = directories;
    e.samples.channels = static_cast<Index>(directories.size());
  }
  e.colour = colour_of(file, e.samples, description, joined);
  if (e.colour.way == TiffColour::Way::cielab) e.samples.format = SAMPLEFORMAT_UINT;  // its signs are cielab_to_rgb's
  return e;
}

TiffRowSink converting_sink(const TiffEncoding& e, SampleConverter& converter) {
  using Way = TiffColour::Way;
  if (e.colour.way == Way::palette)
    return [&, rgb = std::vector<std::uint8_t>()](void* row, Index y, Index x, Index count) mutable {
      look_up(e.colour.palette, static_cast<std::uint8_t*>(row), count, rgb);
      converter.add_row(rgb.data(), y, x, count);
    };
  if (e.colour.way == Way::cielab)
    return [&](void* row, Index y, Index x, Index count) {
      if (e.samples.bits == 8)
        cielab_to_rgb(static_cast<std::uint8_t*>(row), count);
      else
        cielab_to_rgb(static_cast<std::uint16_t*>(row), count);
      converter.add_row(row, y, x, count);
    };
  return [&](void* row, Index y, Index x, Index count) { converter.add_row(row, y, x, count); };
}

}  // namespace nucdet::io::detail
