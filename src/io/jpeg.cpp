#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <optional>
// jpeglib.h needs the two above it.
#include <jerror.h>
#include <jpeglib.h>

#include "nucdet/core/error.hpp"

#include "canvas.hpp"
#include "exif.hpp"
#include "pixel_size.hpp"

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
  bool truncated = false;
  std::vector<JSAMPLE> row;
  std::optional<Canvas> canvas;
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
  JpegReader& reader = *static_cast<JpegReader*>(jpeg->client_data);
  reader.truncated = reader.truncated || code == JWRN_JPEG_EOF || code == JWRN_HIT_MARKER;
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
  jpeg_save_markers(&r.jpeg, JPEG_APP0 + 1, 0xFFFF);  // EXIF
  jpeg_read_header(&r.jpeg, TRUE);
  const bool cmyk = r.jpeg.jpeg_color_space == JCS_CMYK || r.jpeg.jpeg_color_space == JCS_YCCK;
  r.jpeg.out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
  r.jpeg.dct_method = JDCT_ISLOW;
}

/// CMYK, in place, to RGB.
void to_rgb(const JpegReader& r, JSAMPLE* row) {
  // Adobe writes ink inverted: 255 is no ink.
  const unsigned flip = r.jpeg.saw_Adobe_marker != 0 ? 0 : 255;
  for (JDIMENSION x = 0; x < r.jpeg.output_width; ++x) {
    const unsigned black = row[4 * x + 3] ^ flip;
    for (JDIMENSION c = 0; c < 3; ++c)
      row[3 * x + c] = static_cast<JSAMPLE>(((row[4 * x + c] ^ flip) * black + 127) / 255);
  }
}

void read_rows(JpegReader& r) {
  jpeg_start_decompress(&r.jpeg);
  while (r.jpeg.output_scanline < r.jpeg.output_height) {
    const Index y = r.jpeg.output_scanline;
    JSAMPROW row = r.row.data();
    if (jpeg_read_scanlines(&r.jpeg, &row, 1) != 1) continue;
    if (r.jpeg.out_color_space == JCS_CMYK) to_rgb(r, row);
    r.canvas->put(y, 0, r.canvas->width(), row);
  }
  jpeg_finish_decompress(&r.jpeg);
}

void run_guarded(JpegReader& r, void (*step)(JpegReader&)) {
  if (setjmp(r.jump) != 0)
    throw IoError(message(r.source.where, r.truncated ? ": JPEG: truncated: " : ": JPEG: ", r.error));
  step(r);
}

int orientation_of(const JpegReader& r) {
  for (const jpeg_marker_struct* m = r.jpeg.marker_list; m != nullptr; m = m->next) {
    const std::span data(reinterpret_cast<const std::byte*>(m->data), m->data_length);
    if (const int orientation = exif_orientation(data); orientation != 1) return orientation;
  }
  return 1;
}

PixelSize pixel_size_of(const JpegReader& r) {
  if (r.jpeg.saw_JFIF_marker == 0 || (r.jpeg.density_unit != 1 && r.jpeg.density_unit != 2)) return {};
  return resolution_size(r.jpeg.X_density, r.jpeg.Y_density, r.jpeg.density_unit == 1 ? 25400 : 10000, "JFIF density");
}

}  // namespace

Picture decode_jpeg(const EncodedImage& source) {
  JpegReader reader(source);
  reader.jpeg.err = jpeg_std_error(&reader.errors);
  reader.jpeg.client_data = &reader;
  reader.errors.error_exit = on_error;
  reader.errors.emit_message = on_message;
  reader.errors.output_message = on_output;
  run_guarded(reader, read_header);
  reader.canvas.emplace(source, "JPEG", reader.jpeg.image_width, reader.jpeg.image_height, 8, orientation_of(reader));
  reader.canvas->set_pixel_size(pixel_size_of(reader));
  reader.row.resize(std::size_t{reader.jpeg.image_width} * 4);
  run_guarded(reader, read_rows);
  return std::move(*reader.canvas).take();
}

}  // namespace nucdet::io::detail
