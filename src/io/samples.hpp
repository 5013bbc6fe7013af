#pragma once
#include <vector>

#include "canvas.hpp"
#include "sample_range.hpp"

namespace nucdet::io::detail {

/// What the samples of a pixel are, by the file's own words. They are interleaved.
struct SampleLayout {
  SampleType type = SampleType::u8;
  Index channels = 3;
  Index colours = 3;              ///< the first of the channels: 1 grey, 3 RGB, 4 CMYK
  Index alpha = -1;               ///< its channel; -1: none
  bool premultiplied = false;     ///< colours are multiplied by alpha already
  bool inverted = false;          ///< grey: 0 is white
  Index unexplained = -1;         ///< a channel of which the file does not say what it is; -1: none
  SampleRange range{0, 255};      ///< what stands for black and white
  bool range_is_declared = true;  ///< else it is sought in the values
  int hinted_bits = 0;            ///< then: the depth that the file speaks of, if the values keep to it; 0: none
  double alpha_white = 0;         ///< what stands for opaque; 0: the largest value of the type, until values are seen
};

/// Turns rows of samples into a picture's pixels. The range of the values and the use of alpha are assumed first, as
/// nearly all files have them; where the samples then show otherwise, all rows are wanted a second time:
///
///   do { for (...) converter.add_row(...); } while (converter.again());
class SampleConverter {
 public:
  SampleConverter(Canvas& canvas, SampleLayout layout)
      : canvas_(canvas),
        layout_(std::move(layout)),
        alpha_white_(layout_.alpha_white > 0 ? layout_.alpha_white : full_range(layout_.type).white) {}

  /// `count` pixels stored in row y from column x on.
  void add_row(const void* samples, Index y, Index x, Index count);
  /// True if all rows must be added again. At the end the canvas has the notes. Throws as evident_range.
  bool again();
  /// After again(): the layout by which the rows are converted. A converter of it needs to see no values first, and
  /// can so be used for a part of a picture.
  SampleLayout settled() const;

 private:
  template <class T>
  void look_at(const T* samples, Index count);
  template <class Out, class T>
  void convert(const T* samples, Index y, Index x, Index count);
  template <class T>
  void add(const T* samples, Index y, Index x, Index count);
  void write_notes();

  struct Extremes {
    double least = 1e300, most = -1e300;
    void add(double value) {
      least = value < least ? value : least;
      most = value > most ? value : most;
    }
  };

  Canvas& canvas_;
  SampleLayout layout_;
  bool second_time_ = false, alpha_ignored_ = false, finite_ = true;
  Extremes colour_, alpha_, unexplained_;
  double alpha_white_;
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> words_;
};

/// The type of the pixels that samples become, in bits.
inline int picture_bits(SampleType type) { return type == SampleType::u8 ? 8 : 16; }

}  // namespace nucdet::io::detail
