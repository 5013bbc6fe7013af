#include <algorithm>
#include <cstring>
#include <exception>

#include <png.h>

#include "nucdet/core/error.hpp"

#include "byte_reading.hpp"
#include "exif.hpp"
#include "pixel_size.hpp"
#include "png_chunks.hpp"
#include "png_rows.hpp"
#include "samples.hpp"

/// libpng reports errors by longjmp. Everything that owns memory therefore lives in a struct outside the functions that
/// a jump can leave: those hold plain values only. And no exception may cross libpng.
namespace nucdet::io::detail {

namespace {

struct PngReader {
  explicit PngReader(const EncodedImage& encoded) : source(encoded) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png, &info, nullptr); }

  const EncodedImage& source;
  png_structp png = nullptr;
  png_infop info = nullptr;
  std::size_t at = 0;
  char error[160] = "out of memory";
  PngHeader header;
  PngSamples samples = PngSamples::light;
  std::size_t row_bytes = 0;
  int passes = 1, channels = 3, depth = 8;
  std::vector<png_byte> rows;  // one, or all of an interlaced picture
  png_byte* whole = nullptr;   // where all rows of an interlaced picture go
};

void on_read_error(png_structp png, png_const_charp what) {
  PngReader& reader = *static_cast<PngReader*>(png_get_error_ptr(png));
  std::strncpy(reader.error, what, sizeof reader.error - 1);
  reader.error[sizeof reader.error - 1] = '\0';
  png_longjmp(png, 1);
}
void on_read_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, png_size_t count) {
  PngReader& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader.source.bytes.size() - reader.at) png_error(png, "truncated: the file ends early");
  std::memcpy(to, reader.source.bytes.data() + reader.at, count);
  reader.at += count;
}

void read_header(PngReader& r) {
  png_set_read_fn(r.png, &r, on_read);
  png_set_user_limits(r.png, 0x7fffffff, 0x7fffffff);  // ours is on the number of pixels
  // Texts, profiles and their like are passed over, not unpacked: they may be a thousand times what they are zipped.
  png_set_keep_unknown_chunks(r.png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(r.png, r.info);
  r.header = {png_get_image_width(r.png, r.info), png_get_image_height(r.png, r.info), png_get_bit_depth(r.png, r.info),
              (png_get_color_type(r.png, r.info) & PNG_COLOR_MASK_COLOR) != 0};
}

/// After the check of the size: libpng allocates rows here.
void set_transforms(PngReader& r) {
  if (r.samples == PngSamples::light)
    png_set_expand(r.png);
  else
    png_set_packing(r.png);
  if (r.header.depth == 16) png_set_swap(r.png);
  r.passes = png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  r.channels = png_get_channels(r.png, r.info);
  r.depth = png_get_bit_depth(r.png, r.info);
  r.row_bytes = png_get_rowbytes(r.png, r.info);
}

void read_row(PngReader& r) { png_read_row(r.png, r.rows.data(), nullptr); }
void read_interlaced(PngReader& r) {
  for (int pass = 0; pass < r.passes; ++pass)
    for (Index y = 0; y < r.header.height; ++y)
      png_read_row(r.png, r.whole + static_cast<std::size_t>(y) * r.row_bytes, nullptr);
}
void read_end(PngReader& r) { png_read_end(r.png, nullptr); }

void run_guarded(PngReader& r, void (*step)(PngReader&)) {
  if (setjmp(png_jmpbuf(r.png)) != 0) throw IoError(message(r.source.where, ": PNG: ", r.error));
  step(r);
}

void begin(PngReader& r) {
  r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_read_error, on_read_warning);
  if (r.png != nullptr) r.info = png_create_info_struct(r.png);
  if (r.info == nullptr) throw IoError(message(r.source.where, ": PNG: ", r.error));
  run_guarded(r, read_header);
  check_size(r.source, r.header.width, r.header.height);
  run_guarded(r, set_transforms);
}

void read_rows(PngReader& r, const PngRowSink& sink) {
  r.rows.resize(r.row_bytes * static_cast<std::size_t>(r.passes > 1 ? r.header.height : 1));
  r.whole = r.rows.data();
  if (r.passes > 1) run_guarded(r, read_interlaced);
  for (Index y = 0; y < r.header.height; ++y) {
    if (r.passes == 1) run_guarded(r, read_row);
    sink(r.rows.data() + (r.passes > 1 ? static_cast<std::size_t>(y) * r.row_bytes : 0), y);
  }
  run_guarded(r, read_end);
}

SampleLayout layout_of(const PngReader& r) {
  const bool colour = r.header.colour;
  SampleLayout layout{.channels = r.channels, .colours = colour ? 3 : 1};
  if (r.channels == layout.colours + 1) layout.alpha = layout.colours;
  if (r.depth == 16) {
    layout.type = SampleType::u16;
    layout.range = full_range(layout.type);
    layout.range_is_declared = false;
    const Bytes significant = png_chunk(r.source.bytes, "sBIT");
    for (std::size_t i = 0; i < std::min<std::size_t>(significant.size(), colour ? 3 : 1); ++i)
      layout.hinted_bits = std::max(layout.hinted_bits, std::to_integer<int>(significant[i]));
  }
  return layout;
}

PixelSize pixel_size_of(const EncodedImage& source) {
  const Bytes size = png_chunk(source.bytes, "pHYs");
  if (size.size() < 9 || size[8] != std::byte{1}) return {};  // 1: by the metre
  return resolution_size(number_at(size, 0, 4), number_at(size, 4, 4), 1e6, "PNG pHYs");
}

}  // namespace

void read_png(const EncodedImage& source, PngSamples samples,
              const std::function<PngRowSink(const PngHeader&, Index, int)>& to) {
  PngReader reader(source);
  reader.samples = samples;
  begin(reader);
  read_rows(reader, to(reader.header, reader.channels, reader.depth));
}

Picture decode_png(const EncodedImage& source) {
  PngReader first(source);
  begin(first);
  Canvas canvas(source, "PNG", first.header.width, first.header.height, first.depth,
                exif_orientation(png_chunk(source.bytes, "eXIf")));
  canvas.set_pixel_size(pixel_size_of(source));
  if (first.passes > 1 && first.depth == 8 && first.channels == 3 && canvas.upright()) {
    first.whole = canvas.bytes();
    run_guarded(first, read_interlaced);
    run_guarded(first, read_end);
    return std::move(canvas).take();
  }
  SampleConverter converter(canvas, layout_of(first));
  const PngRowSink sink = [&](const void* samples, Index y) { converter.add_row(samples, y, 0, canvas.width()); };
  read_rows(first, sink);
  if (converter.again()) read_png(source, PngSamples::light, [&](const PngHeader&, Index, int) { return sink; });
  return std::move(canvas).take();
}

}  // namespace nucdet::io::detail
