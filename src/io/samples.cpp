#include "samples.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "nucdet/core/error.hpp"

namespace nucdet::io::detail {

namespace {

/// A sample as a pixel's value: black is 0, white the largest; what lies beyond is cut.
template <class Out>
struct Scale {
  double black, factor;
  bool same;  // nothing to do

  template <class T>
  Out operator()(T value) const {
    if constexpr (std::is_same_v<T, Out>)
      if (same) return value;
    constexpr double most = std::numeric_limits<Out>::max();
    const double scaled = (static_cast<double>(value) - black) * factor;
    if (!(scaled > 0)) return 0;
    return static_cast<Out>(scaled < most ? scaled + 0.5 : most);
  }
};

template <class Out>
Scale<Out> scale_of(double black, double white) {
  constexpr double most = std::numeric_limits<Out>::max();
  return {black, most / (white - black), black == 0 && white == most};
}

template <class Out>
Out product(Out a, Out b) {
  constexpr std::uint64_t most = std::numeric_limits<Out>::max();
  return static_cast<Out>((std::uint64_t{a} * b + most / 2) / most);
}

}  // namespace

template <class T>
void SampleConverter::look_at(const T* samples, Index count) {
  const Index step = layout_.channels;
  if (!layout_.range_is_declared)
    for (Index c = 0; c < layout_.colours; ++c) {
      T least = samples[c], most = samples[c];
      for (Index i = 0; i < count; ++i) {
        const T value = samples[i * step + c];
        least = std::min(least, value), most = std::max(most, value);
        if constexpr (std::is_floating_point_v<T>) finite_ = finite_ && std::isfinite(value);
      }
      colour_.add(static_cast<double>(least)), colour_.add(static_cast<double>(most));
    }
  for (Index i = 0; layout_.alpha >= 0 && i < count; ++i)
    alpha_.add(static_cast<double>(samples[i * step + layout_.alpha]));
  for (Index i = 0; layout_.unexplained >= 0 && i < count; ++i)
    unexplained_.add(static_cast<double>(samples[i * step + layout_.unexplained]));
}

template <class Out, class T>
void SampleConverter::convert(const T* samples, Index y, Index x, Index count) {
  constexpr Out most = std::numeric_limits<Out>::max();
  const Scale<Out> scale = scale_of<Out>(layout_.range.black, layout_.range.white);
  const bool use_alpha = layout_.alpha >= 0 && !alpha_ignored_;
  if constexpr (std::is_same_v<T, Out>)
    if (scale.same && layout_.channels == 3 && layout_.colours == 3) return canvas_.put(y, x, count, samples);

  const Scale<Out> alpha_scale = scale_of<Out>(0, alpha_white_);
  const auto row = [&]() -> auto& {
    if constexpr (std::is_same_v<Out, std::uint8_t>)
      return bytes_;
    else
      return words_;
  };
  row().resize(static_cast<std::size_t>(3 * count));
  Out* to = row().data();
  for (const T* from = samples; from < samples + count * layout_.channels; from += layout_.channels, to += 3) {
    for (Index c = 0; c < 3; ++c) {
      const Out value = scale(from[layout_.colours == 1 ? 0 : c]);
      to[c] = layout_.inverted || layout_.colours == 4 ? static_cast<Out>(most - value) : value;
      if (layout_.colours == 4) to[c] = product<Out>(to[c], static_cast<Out>(most - scale(from[3])));
    }
    if (!use_alpha) continue;
    const Out alpha = alpha_scale(from[layout_.alpha]), glass = static_cast<Out>(most - alpha);
    for (Index c = 0; c < 3; ++c) {
      const Out light = layout_.premultiplied ? std::min(to[c], alpha) : product<Out>(to[c], alpha);
      to[c] = static_cast<Out>(light + glass);
    }
  }
  canvas_.put(y, x, count, row().data());
}

template <class T>
void SampleConverter::add(const T* samples, Index y, Index x, Index count) {
  if (!second_time_) look_at(samples, count);
  convert<std::conditional_t<std::is_same_v<T, std::uint8_t>, std::uint8_t, std::uint16_t>>(samples, y, x, count);
}

void SampleConverter::add_row(const void* samples, Index y, Index x, Index count) {
  switch (layout_.type) {
    case SampleType::u8:
      return add(static_cast<const std::uint8_t*>(samples), y, x, count);
    case SampleType::u16:
      return add(static_cast<const std::uint16_t*>(samples), y, x, count);
    case SampleType::i16:
      return add(static_cast<const std::int16_t*>(samples), y, x, count);
    case SampleType::u32:
      return add(static_cast<const std::uint32_t*>(samples), y, x, count);
    case SampleType::i32:
      return add(static_cast<const std::int32_t*>(samples), y, x, count);
    case SampleType::f32:
      return add(static_cast<const float*>(samples), y, x, count);
    case SampleType::f64:
      return add(static_cast<const double*>(samples), y, x, count);
  }
}

bool SampleConverter::again() {
  if (second_time_) return false;
  second_time_ = true;
  SampleRange found = layout_.range;
  if (!layout_.range_is_declared)
    found = evident_range(layout_.type, {colour_.least, colour_.most, finite_}, layout_.hinted_bits, canvas_.where());
  bool changed = !found.same_values(layout_.range);
  layout_.range = std::move(found);
  if (layout_.alpha >= 0) {
    alpha_ignored_ = alpha_.most <= 0;
    // Alpha of a camera's depth goes with colours of that depth.
    const double full = full_range(layout_.type).white;
    alpha_white_ = alpha_.most > layout_.range.white || (full == 1 && alpha_.most <= 1) ? full : layout_.range.white;
    changed = changed || alpha_ignored_ || alpha_white_ != full;
  }
  write_notes();
  return changed;
}

SampleLayout SampleConverter::settled() const {
  SampleLayout settled = layout_;
  settled.range_is_declared = true;
  settled.alpha_white = alpha_white_;
  if (alpha_ignored_) settled.alpha = -1;
  return settled;
}

void SampleConverter::write_notes() {
  if (!layout_.range.note.empty()) canvas_.note(layout_.range.note);
  if (alpha_ignored_) canvas_.note("alpha is 0 everywhere: it was ignored, and the colours were taken as they are");
  if (layout_.unexplained >= 0 && unexplained_.least != unexplained_.most)
    canvas_.note(message("channel ", layout_.unexplained + 1, " of ", layout_.channels,
                         " is not said to be alpha: it was ignored"));
}

}  // namespace nucdet::io::detail
