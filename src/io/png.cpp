#include <algorithm>
#include <cstring>

#include <png.h>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

/// libpng reports errors by longjmp. Everything that owns memory therefore lives in a struct outside the functions that
/// a jump can leave: those hold plain values only.
namespace nucdet::io::detail {

namespace {

void keep_message(char (&text)[160], const char* what) {
  std::strncpy(text, what, sizeof text - 1);
  text[sizeof text - 1] = '\0';
}

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
  Index width = 0, height = 0;
  std::size_t row_bytes = 0;
  int passes = 1, channels = 3, depth = 8;
  std::vector<png_byte> rows;
  Image image;
};

void on_read_error(png_structp png, png_const_charp what) {
  keep_message(static_cast<PngReader*>(png_get_error_ptr(png))->error, what);
  png_longjmp(png, 1);
}
void on_warning(png_structp, png_const_charp) {}

void on_read(png_structp png, png_bytep to, png_size_t count) {
  PngReader& reader = *static_cast<PngReader*>(png_get_io_ptr(png));
  if (count > reader.source.bytes.size() - reader.at) png_error(png, "ends early");
  std::memcpy(to, reader.source.bytes.data() + reader.at, count);
  reader.at += count;
}

void read_header(PngReader& r) {
  png_set_read_fn(r.png, &r, on_read);
  png_set_user_limits(r.png, 0x7fffffff, 0x7fffffff);  // ours is on the number of pixels
  png_read_info(r.png, r.info);
  r.width = png_get_image_width(r.png, r.info);
  r.height = png_get_image_height(r.png, r.info);
}

/// After the check of the size: libpng allocates rows here.
void set_transforms(PngReader& r) {
  png_set_expand(r.png);
  png_set_gray_to_rgb(r.png);
  if (png_get_bit_depth(r.png, r.info) == 16) png_set_swap(r.png);
  r.passes = png_set_interlace_handling(r.png);
  png_read_update_info(r.png, r.info);
  r.channels = png_get_channels(r.png, r.info);
  r.depth = png_get_bit_depth(r.png, r.info);
  r.row_bytes = png_get_rowbytes(r.png, r.info);
}

float sample(const PngReader& r, const png_byte* row, Index i) {
  if (r.depth == 8) return static_cast<float>(row[i]) / 255.0f;
  std::uint16_t wide = 0;
  std::memcpy(&wide, row + 2 * i, 2);
  return static_cast<float>(wide) / 65535.0f;
}

void convert_row(PngReader& r, const png_byte* row, Index y) {
  float* to = r.image.data() + y * r.width * 3;
  if (r.depth == 8 && r.channels == 3) {  // nearly all images: a loop of vectors
    for (Index i = 0; i < 3 * r.width; ++i) to[i] = static_cast<float>(row[i]) / 255.0f;
    return;
  }
  for (Index x = 0; x < r.width; ++x) {
    const float alpha = r.channels == 4 ? sample(r, row, 4 * x + 3) : 1.0f;
    for (Index c = 0; c < 3; ++c) {
      const float value = sample(r, row, r.channels * x + c);
      to[3 * x + c] = alpha < 1.0f ? alpha * value + (1.0f - alpha) : value;
    }
  }
}

void read_rows(PngReader& r) {
  for (int pass = 0; pass < r.passes; ++pass)
    for (Index y = 0; y < r.height; ++y) {
      png_byte* row = r.rows.data() + (r.passes > 1 ? static_cast<std::size_t>(y) * r.row_bytes : 0);
      png_read_row(r.png, row, nullptr);
      if (pass == r.passes - 1) convert_row(r, row, y);
    }
  png_read_end(r.png, nullptr);
}

void run_guarded(PngReader& r, void (*step)(PngReader&)) {
  if (setjmp(png_jmpbuf(r.png)) != 0) throw IoError(message(r.source.where, ": PNG: ", r.error));
  step(r);
}

struct PngWriter {
  PngWriter() = default;
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png, &info); }
  png_structp png = nullptr;
  png_infop info = nullptr;
  char error[160] = "out of memory";
  std::string bytes;
};

void on_write_error(png_structp png, png_const_charp what) {
  keep_message(static_cast<PngWriter*>(png_get_error_ptr(png))->error, what);
  png_longjmp(png, 1);
}
void on_write(png_structp png, png_bytep from, png_size_t count) {
  bool full = false;
  try {
    static_cast<PngWriter*>(png_get_io_ptr(png))->bytes.append(reinterpret_cast<const char*>(from), count);
  } catch (...) {
    full = true;  // an exception must not cross libpng
  }
  if (full) png_error(png, "out of memory");
}
void on_flush(png_structp) {}

void write_software(PngWriter& w, const char* software) {
  char key[] = "Software";
  png_text text{};
  text.compression = PNG_TEXT_COMPRESSION_NONE, text.key = key, text.text = const_cast<char*>(software);
  png_set_text(w.png, w.info, &text, 1);
}

void write_rows(PngWriter& w, const std::uint8_t* pixels, Index width, Index height, int channels,
                const char* software) {
  if (setjmp(png_jmpbuf(w.png)) != 0) throw IoError(message("encode_png: ", w.error));
  png_set_write_fn(w.png, &w, on_write, on_flush);
  png_set_user_limits(w.png, 0x7fffffff, 0x7fffffff);
  png_set_IHDR(w.png, w.info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height), 8,
               channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (software != nullptr) write_software(w, software);
  png_write_info(w.png, w.info);
  for (Index y = 0; y < height; ++y) png_write_row(w.png, pixels + y * width * channels);
  png_write_end(w.png, w.info);
}

}  // namespace

Image decode_png(const EncodedImage& source) {
  PngReader reader(source);
  reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_read_error, on_warning);
  if (reader.png != nullptr) reader.info = png_create_info_struct(reader.png);
  if (reader.info == nullptr) throw IoError(message(source.where, ": PNG: ", reader.error));
  run_guarded(reader, read_header);
  reader.image = allocate_rgb(source, reader.width, reader.height);
  run_guarded(reader, set_transforms);
  reader.rows.resize(reader.row_bytes * static_cast<std::size_t>(reader.passes > 1 ? reader.height : 1));
  run_guarded(reader, read_rows);
  return std::move(reader.image);
}

std::string encode_png(const std::vector<std::uint8_t>& pixels, Index width, Index height, int channels,
                       const char* software) {
  PngWriter writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) throw IoError(message("encode_png: ", writer.error));
  write_rows(writer, pixels.data(), width, height, channels, software);
  return std::move(writer.bytes);
}

}  // namespace nucdet::io::detail
