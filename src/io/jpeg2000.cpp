#include "jpeg2000.hpp"

#ifdef NUCDET_WITH_OPENJPEG
#include <openjpeg.h>
#endif

#include <algorithm>
#include <memory>

#include "nucdet/core/error.hpp"

#include "byte_reading.hpp"

namespace nucdet::io::detail {

using std::string_view_literals::operator""sv;

namespace {
constexpr std::string_view kFile = "\0\0\0\x0CjP  \r\n\x87\n"sv, kCodeStream = "\xFF\x4F\xFF\x51"sv;
[[maybe_unused]] constexpr Index kMostChannels = 5;
}  // namespace

bool is_jpeg2000(std::span<const std::byte> bytes) {
  return begins_with(bytes, kFile) || begins_with(bytes, kCodeStream);
}

void ycc_to_rgb(std::uint8_t* samples, Index count, Index channels) {
  const auto byte = [](double value) { return static_cast<std::uint8_t>(std::clamp(value + 0.5, 0.0, 255.0)); };
  for (std::uint8_t* p = samples; p < samples + count * channels; p += channels) {
    const double y = p[0], blue = p[1] - 128.0, red = p[2] - 128.0;
    p[0] = byte(y + 1.402 * red);
    p[1] = byte(y - 0.344136 * blue - 0.714136 * red);
    p[2] = byte(y + 1.772 * blue);
  }
}

#ifdef NUCDET_WITH_OPENJPEG

namespace {

struct Stream {
  Bytes bytes;
  std::size_t at = 0;
};

OPJ_SIZE_T on_read(void* to, OPJ_SIZE_T count, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  const std::size_t part = std::min<std::size_t>(count, s.bytes.size() - s.at);
  if (part == 0) return static_cast<OPJ_SIZE_T>(-1);
  std::memcpy(to, s.bytes.data() + s.at, part);
  s.at += part;
  return part;
}
OPJ_OFF_T on_skip(OPJ_OFF_T count, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  if (count < 0 || static_cast<std::uint64_t>(count) > s.bytes.size() - s.at) return -1;
  s.at += static_cast<std::size_t>(count);
  return count;
}
OPJ_BOOL on_seek(OPJ_OFF_T at, void* user) {
  Stream& s = *static_cast<Stream*>(user);
  if (at < 0 || static_cast<std::uint64_t>(at) > s.bytes.size()) return OPJ_FALSE;
  s.at = static_cast<std::size_t>(at);
  return OPJ_TRUE;
}
/// Keeps the first error, which is the cause of the others.
void on_error(const char* text, void* user) {
  std::string& error = *static_cast<std::string*>(user);
  if (!error.empty()) return;
  error = text;
  while (!error.empty() && error.back() == '\n') error.pop_back();
}
void on_message(const char*, void*) {}

struct Decoder {
  Stream data;
  std::string_view where;
  std::string error{};
  std::unique_ptr<opj_codec_t, void (*)(opj_codec_t*)> codec{nullptr, [](opj_codec_t* c) { opj_destroy_codec(c); }};
  std::unique_ptr<opj_stream_t, void (*)(opj_stream_t*)> stream{nullptr,
                                                                [](opj_stream_t* s) { opj_stream_destroy(s); }};
  std::unique_ptr<opj_image_t, void (*)(opj_image_t*)> image{nullptr, [](opj_image_t* i) { opj_image_destroy(i); }};

  [[noreturn]] void fail() const {
    throw IoError(message(where, ": JPEG 2000: ", error.empty() ? "damaged or truncated" : error));
  }
};

void open(Decoder& d) {
  const bool file = begins_with(d.data.bytes, kFile);
  d.codec.reset(opj_create_decompress(file ? OPJ_CODEC_JP2 : OPJ_CODEC_J2K));
  d.stream.reset(opj_stream_create(std::size_t{1} << 16, OPJ_TRUE));
  if (!d.codec || !d.stream) d.fail();
  opj_set_error_handler(d.codec.get(), on_error, &d.error);
  opj_set_warning_handler(d.codec.get(), on_message, nullptr);
  opj_set_info_handler(d.codec.get(), on_message, nullptr);
  opj_stream_set_user_data(d.stream.get(), &d.data, nullptr);
  opj_stream_set_user_data_length(d.stream.get(), d.data.bytes.size());
  opj_stream_set_read_function(d.stream.get(), on_read);
  opj_stream_set_skip_function(d.stream.get(), on_skip);
  opj_stream_set_seek_function(d.stream.get(), on_seek);
  opj_dparameters_t parameters;
  opj_set_default_decoder_parameters(&parameters);
  opj_image_t* image = nullptr;
  if (opj_setup_decoder(d.codec.get(), &parameters) == OPJ_FALSE) d.fail();
  const OPJ_BOOL read = opj_read_header(d.stream.get(), d.codec.get(), &image);
  d.image.reset(image);
  if (read == OPJ_FALSE || image == nullptr) d.fail();
}

/// OpenJPEG makes room for all channels of all tiles that a header speaks of before it hands the header on: a few bytes
/// could ask for all memory. So sizes are looked at first, where the standard (ISO/IEC 15444-1, A.5.1) has them.
void check_code_stream(const Decoder& d, const std::function<void(const Jpeg2000Header&)>& check) {
  const Bytes bytes = d.data.bytes;
  const auto* const text = reinterpret_cast<const char*>(bytes.data());
  const std::size_t at = std::string_view(text, bytes.size()).find(kCodeStream);
  if (at == std::string_view::npos || bytes.size() - at < 45)
    throw IoError(message(d.where, ": JPEG 2000: truncated, or without a code stream"));
  const auto size_at = [&](std::size_t offset) { return Index{number_at(bytes, at + offset, 4)}; };
  const Index width = size_at(8) - size_at(16), height = size_at(12) - size_at(20),
              channels = number_at(bytes, at + 40, 2);
  check({.width = width,
         .height = height,
         .channels = channels,
         .bits = std::to_integer<int>(bytes[at + 42] & std::byte{127}) + 1});
  const Index across = std::max<Index>(size_at(24), 1), down = std::max<Index>(size_at(28), 1);
  const double tiles = (static_cast<double>(width) / static_cast<double>(across) + 1) *
                       (static_cast<double>(height) / static_cast<double>(down) + 1);
  if (channels > kMostChannels || tiles > 64 + static_cast<double>(width) * static_cast<double>(height) / 1024)
    throw IoError(message(d.where, ": JPEG 2000: ", channels, " channels in tiles of ", across, " x ", down,
                          ", wanted grey or RGB, with or without alpha, in tiles of at least 32 x 32: export it anew"));
}

Jpeg2000Header header_of(const Decoder& d) {
  const opj_image_t& image = *d.image;
  Jpeg2000Header header{.channels = image.numcomps};
  if (image.numcomps < 1 || image.numcomps > kMostChannels)
    throw IoError(message(d.where, ": JPEG 2000: ", image.numcomps,
                          " channels, wanted grey or RGB, with or without alpha: export it as an RGB picture"));
  header.bits = static_cast<int>(image.comps[0].prec);
  for (OPJ_UINT32 c = 0; c < image.numcomps; ++c) {
    const opj_image_comp_t& part = image.comps[c];
    header.width = std::max<Index>(header.width, part.w), header.height = std::max<Index>(header.height, part.h);
    if (part.prec < 1 || part.prec > 16)
      throw IoError(message(d.where, ": JPEG 2000: ", part.prec, " bits a sample, at most 16 are read"));
    if (part.alpha != 0 && header.alpha < 0) header.alpha = c, header.premultiplied = part.alpha == 2;
  }
  const bool subsampled = image.numcomps >= 3 && image.comps[1].w < image.comps[0].w;
  header.ycc = image.color_space == OPJ_CLRSPC_SYCC || (image.color_space != OPJ_CLRSPC_SRGB && subsampled);
  if (image.color_space == OPJ_CLRSPC_CMYK || image.color_space == OPJ_CLRSPC_EYCC || (header.ycc && header.bits != 8))
    throw IoError(message(d.where, ": JPEG 2000: a colour space that is not read, wanted grey, sRGB or YCC of 8 bits: ",
                          "export it as an RGB picture"));
  return header;
}

/// Row y of one component, every `channels`th value; smaller components are stretched.
template <class T>
void add_component(const opj_image_comp_t& part, const Jpeg2000Header& header, Index y, T* to) {
  const OPJ_INT32* row = part.data + y * part.h / header.height * part.w;
  const std::int64_t most = (std::int64_t{1} << part.prec) - 1, wanted = (std::int64_t{1} << header.bits) - 1;
  const std::int64_t lift = part.sgnd != 0 ? std::int64_t{1} << (part.prec - 1) : 0;
  for (Index x = 0; x < header.width; ++x, to += header.channels) {
    const std::int64_t value = std::clamp<std::int64_t>(row[x * part.w / header.width] + lift, 0, most);
    *to = static_cast<T>(most == wanted ? value : (value * wanted + most / 2) / most);
  }
}

template <class T>
void hand_on(const opj_image_t& image, const Jpeg2000Header& header, const Jpeg2000RowSink& sink) {
  std::vector<T> row(static_cast<std::size_t>(header.width * header.channels));
  for (Index y = 0; y < header.height; ++y) {
    for (Index c = 0; c < header.channels; ++c) add_component(image.comps[c], header, y, row.data() + c);
    sink(row.data(), y);
  }
}

}  // namespace

void read_jpeg2000(std::span<const std::byte> bytes, std::string_view where,
                   const std::function<void(const Jpeg2000Header&)>& check,
                   const std::function<Jpeg2000RowSink(const Jpeg2000Header&)>& begin) {
  Decoder d{{bytes}, where};
  check_code_stream(d, check);
  open(d);
  check(header_of(d));
  if (opj_decode(d.codec.get(), d.stream.get(), d.image.get()) == OPJ_FALSE) d.fail();
  const Jpeg2000Header header = header_of(d);  // palettes and alpha are known now
  check(header);
  for (Index c = 0; c < header.channels; ++c)
    if (d.image->comps[c].data == nullptr) d.fail();
  if (header.bits <= 8)
    hand_on<std::uint8_t>(*d.image, header, begin(header));
  else
    hand_on<std::uint16_t>(*d.image, header, begin(header));
}

#else

void read_jpeg2000(std::span<const std::byte>, std::string_view where,
                   const std::function<void(const Jpeg2000Header&)>&,
                   const std::function<Jpeg2000RowSink(const Jpeg2000Header&)>&) {
  throw IoError(message(where,
                        ": holds JPEG 2000, a format that this build does not read: it was built without OpenJPEG; "
                        "export it as TIFF or PNG"));
}

#endif

Picture decode_jpeg2000(const EncodedImage& source) {
  std::optional<Canvas> canvas;
  std::optional<SampleConverter> converter;
  const auto check = [&](const Jpeg2000Header& h) { check_size(source, h.width, h.height); };
  const auto begin = [&](const Jpeg2000Header& h) -> Jpeg2000RowSink {
    SampleLayout layout{
        .type = h.bits > 8 ? SampleType::u16 : SampleType::u8, .channels = h.channels, .alpha = h.alpha};
    layout.colours = h.channels - (h.alpha >= 0 ? 1 : 0) >= 3 ? 3 : 1;
    layout.range = {0, static_cast<double>((1 << h.bits) - 1)};
    layout.range_is_declared = h.bits < 16;
    const Index others = h.channels - layout.colours - (h.alpha >= 0 ? 1 : 0);
    if (others > 1 || (others == 1 && layout.colours == 1) || (h.alpha >= 0 && h.alpha < layout.colours))
      throw IoError(message(source.where, ": JPEG 2000: ", h.channels,
                            " channels, wanted grey or RGB, with or without ", "alpha: export it as an RGB picture"));
    if (others == 1) layout.unexplained = h.alpha == 3 ? 4 : 3;
    if (!canvas) canvas.emplace(source, "JPEG 2000", h.width, h.height, picture_bits(layout.type), 1);
    if (!converter) converter.emplace(*canvas, layout);
    return [&, h](void* samples, Index y) {
      if (h.ycc) ycc_to_rgb(static_cast<std::uint8_t*>(samples), h.width, h.channels);
      converter->add_row(samples, y, 0, h.width);
    };
  };
  do read_jpeg2000(source.bytes, source.where, check, begin);
  while (converter->again());
  return std::move(*canvas).take();
}

}  // namespace nucdet::io::detail
