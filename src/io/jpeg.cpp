#include <csetjmp>
#include <cstddef>
#include <cstdio>
// jpeglib.h needs the two above it.
#include <jerror.h>
#include <jpeglib.h>

#include "nucdet/core/error.hpp"

#include "codecs.hpp"

/// libjpeg reports errors by a callback that must not return: it jumps. As in png.cpp, what owns memory lives outside.
namespace nucdet::io::detail {

namespace {

struct JpegReader {
  explicit JpegReader(const EncodedImage& encoded) : source(encoded) {}
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&jpeg); }

  const EncodedImage& source;
  jpeg_decompress_struct jpeg{};
  jpeg_error_mgr errors{};
  jpeg_progress_mgr progress{};
  std::jmp_buf jump{};
  char error[JMSG_LENGTH_MAX] = "";
  std::vector<JSAMPLE> row;
  Image image;
};

[[noreturn]] void on_error(j_common_ptr jpeg) {
  JpegReader& reader = *static_cast<JpegReader*>(jpeg->client_data);
  jpeg->err->format_message(jpeg, reader.error);
  std::longjmp(reader.jump, 1);
}

/// Warnings that mean lost pixels are errors here; the others are habits of some writers.
void on_message(j_common_ptr jpeg, int level) {
  const int code = jpeg->err->msg_code;
  const bool lost =
      code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER || code == JWRN_HUFF_BAD_CODE || code == JWRN_MUST_RESYNC;
  if (level < 0 && lost) on_error(jpeg);
}
void on_output(j_common_ptr) {}

/// A small progressive file can ask for thousands of scans over a large image.
void on_progress(j_common_ptr jpeg) {
  JpegReader& reader = *static_cast<JpegReader*>(jpeg->client_data);
  if (jpeg->is_decompressor == 0 || reader.jpeg.input_scan_number <= 200) return;
  std::snprintf(reader.error, sizeof reader.error, "more than 200 scans");
  std::longjmp(reader.jump, 1);
}

void read_header(JpegReader& r) {
  jpeg_create_decompress(&r.jpeg);
  r.jpeg.client_data = &r;
  r.jpeg.progress = &r.progress;
  r.progress.progress_monitor = on_progress;
  jpeg_mem_src(&r.jpeg, reinterpret_cast<const unsigned char*>(r.source.bytes.data()),
               static_cast<unsigned long>(r.source.bytes.size()));
  jpeg_read_header(&r.jpeg, TRUE);
  const bool cmyk = r.jpeg.jpeg_color_space == JCS_CMYK || r.jpeg.jpeg_color_space == JCS_YCCK;
  r.jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  r.jpeg.dct_method = JDCT_ISLOW;
}

void convert_row(JpegReader& r, Index y) {
  const Index width = r.jpeg.output_width;
  float* to = r.image.data() + y * width * 3;
  if (r.jpeg.out_color_space == JCS_RGB) {
    for (Index i = 0; i < 3 * width; ++i) to[i] = static_cast<float>(r.row[static_cast<std::size_t>(i)]) / 255.0f;
    return;
  }
  // Adobe writes ink inverted: 255 is no ink.
  const bool inverted = r.jpeg.saw_Adobe_marker != 0;
  const auto light = [&](Index i) {
    const float value = static_cast<float>(r.row[static_cast<std::size_t>(i)]) / 255.0f;
    return inverted ? value : 1.0f - value;
  };
  for (Index x = 0; x < width; ++x)
    for (Index c = 0; c < 3; ++c) to[3 * x + c] = light(4 * x + c) * light(4 * x + 3);
}

void read_rows(JpegReader& r) {
  jpeg_start_decompress(&r.jpeg);
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    const Index y = r.jpeg.output_scanline;
    JSAMPROW row = r.row.data();
    if (jpeg_read_scanlines(&r.jpeg, &row, 1) == 1) convert_row(r, y);
  }
  jpeg_finish_decompress(&r.jpeg);
}

void run_guarded(JpegReader& r, void (*step)(JpegReader&)) {
  if (setjmp(r.jump) != 0) throw IoError(message(r.source.where, ": JPEG: ", r.error));
  step(r);
}

}  // namespace

Image decode_jpeg(const EncodedImage& source) {
  JpegReader reader(source);
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.jpeg.client_data = &reader;
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  reader.errors.output_message = on_output;
  run_guarded(reader, read_header);
  reader.image = allocate_rgb(source, reader.jpeg.image_width, reader.jpeg.image_height);
  reader.row.resize(std::size_t{reader.jpeg.image_width} * 4);
  run_guarded(reader, read_rows);
  return std::move(reader.image);
}

}  // namespace nucdet::io::detail
