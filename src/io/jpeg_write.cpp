#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
// jpeglib.h needs those above it.
#include <jpeglib.h>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

/// As in jpeg.cpp: errors jump, so what owns memory lives outside the function that a jump can leave.
namespace nucdet::io::detail {

namespace {

struct JpegWriter {
  JpegWriter() = default;
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&jpeg);
    std::free(bytes);
  }

  jpeg_compress_struct jpeg{};
  jpeg_error_mgr errors{};
  std::jmp_buf jump{};
  char error[JMSG_LENGTH_MAX] = "";
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
};

[[noreturn]] void on_error(j_common_ptr jpeg) {
  JpegWriter& writer = *static_cast<JpegWriter*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, writer.error);
  std::longjmp(writer.jump, 1);
}
void on_output(j_common_ptr) {}

void write_rows(JpegWriter& w, const std::uint8_t* rgb, Index width, Index height, int quality) {
  if (setjmp(w.jump) != 0) throw IoError(message("encode_jpeg: ", w.error));
  jpeg_create_compress(&w.jpeg);
  jpeg_mem_dest(&w.jpeg, &w.bytes, &w.size);
  w.jpeg.image_width = static_cast<JDIMENSION>(width), w.jpeg.image_height = static_cast<JDIMENSION>(height);
  w.jpeg.input_components = 3, w.jpeg.in_color_space = JCS_RGB;
  jpeg_set_defaults(&w.jpeg);
  jpeg_set_quality(&w.jpeg, quality, TRUE);
  w.jpeg.optimize_coding = TRUE;
  jpeg_start_compress(&w.jpeg, TRUE);
  while (w.jpeg.next_scanline < w.jpeg.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(rgb + static_cast<Index>(w.jpeg.next_scanline) * width * 3);
    jpeg_write_scanlines(&w.jpeg, &row, 1);
  }
  jpeg_finish_compress(&w.jpeg);
}

}  // namespace

std::string encode_jpeg(const std::vector<std::uint8_t>& rgb, Index width, Index height, int quality) {
  JpegWriter writer;
  writer.jpeg.err = jpeg_std_error(&writer.errors);
  writer.errors.error_exit = on_error, writer.errors.output_message = on_output;
  writer.jpeg.client_data = &writer;
  write_rows(writer, rgb.data(), width, height, quality);
  return {reinterpret_cast<const char*>(writer.bytes), writer.size};
}

}  // namespace nucdet::io::detail
