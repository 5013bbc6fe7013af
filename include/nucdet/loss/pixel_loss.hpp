#pragma once
#include <concepts>
#include <type_traits>

namespace nucdet::loss {

/// The loss of one pixel: a functor that sees all maps of the pixel at once.
///
///     template <class T> NUCDET_HD T value(const T* prediction, const T* target, const T* label_mean, int maps) const;
///     template <class T> NUCDET_HD void slope(const T* prediction, const T* target, const T* label_mean, int maps,
///                                             T* out) const;      // out[k] = d value / d prediction[k]
///     NUCDET_HD int target_maps(int prediction_maps) const;       // 0 if the loss cannot take so many predicted maps
///     template <class T> NUCDET_HD T counted(T target) const;     // optional: what label_mean is the mean of
///     void check() const;                                         // optional: throws ArgumentError for bad settings
///
/// prediction, out: `maps` numbers; target, label_mean: target_maps(maps) numbers. label_mean[k] is the mean of target
/// map k over the pixel's image, or of counted(target map k) where the loss has that; it depends on the labels only and
/// is a constant in the slope.
/// T is float, or double in gradient checks. A non-finite input must give a non-finite value, so that it is noticed.
template <class L>
concept PixelLoss = std::is_trivially_copyable_v<L> &&
    requires(const L& loss, const float* f, float* out_f, const double* d, double* out_d, int maps) {
  { loss.value(f, f, f, maps) } -> std::same_as<float>;
  { loss.value(d, d, d, maps) } -> std::same_as<double>;
  loss.slope(f, f, f, maps, out_f);
  loss.slope(d, d, d, maps, out_d);
  { loss.target_maps(maps) } -> std::convertible_to<int>;
};

/// The same as a plain number: compilers explain a concept that is not met in a page.
template <class L>
inline constexpr bool is_pixel_loss = PixelLoss<L>;

template <class L>
concept CountingLoss = PixelLoss<L> && requires(const L& loss, float f, double d) {
  { loss.counted(f) } -> std::same_as<float>;
  { loss.counted(d) } -> std::same_as<double>;
};

}  // namespace nucdet::loss
