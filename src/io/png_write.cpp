#include <cstring>

#include <png.h>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

/// As in png.cpp: errors jump, so what owns memory lives outside the functions that a jump can leave.
namespace nucdet::io::detail {

namespace {

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
  PngWriter& writer = *static_cast<PngWriter*>(png_get_error_ptr(png));
  std::strncpy(writer.error, what, sizeof writer.error - 1);
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
void on_write_warning(png_structp, png_const_charp) {}
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

std::string encode_png(const std::vector<std::uint8_t>& pixels, Index width, Index height, int channels,
                       const char* software) {
  PngWriter writer;
  writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer, on_write_error, on_write_warning);
  if (writer.png != nullptr) writer.info = png_create_info_struct(writer.png);
  if (writer.info == nullptr) throw IoError(message("encode_png: ", writer.error));
  write_rows(writer, pixels.data(), width, height, channels, software);
  return std::move(writer.bytes);
}

}  // namespace nucdet::io::detail
