#pragma once
#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "nucdet/core/annotated_points.hpp"
#include "nucdet/core/config.hpp"
#include "nucdet/core/unique_id.hpp"
#include "nucdet/data/counted_pixels.hpp"
#include "nucdet/data/image_conversion.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/resample.hpp"

namespace nucdet::data {

/// One annotated image, in reference pixels. Classes are numbers; their names are the run's (ClassNames), so that data
/// sets read with one list of names may be joined.
struct Sample {
  Image image;  ///< values in [0, 1], not normalised
  std::vector<Point> points;
  ChannelStatistics statistics;  ///< what its pixels are normalised with
  std::string name, group;       ///< group: the organ, or empty
  double scale = 1;              ///< that took the source to reference pixels
  std::string set{};             ///< the data set that it is from, or empty
  std::vector<int> classes{};    ///< of the points: see AnnotatedPoints
  Areas areas{};                 ///< where labels count
  CountedPixels counted{};       ///< the pixels in them
  AnnotatedPoints uncounted{};   ///< annotated where nothing counts: no labels, but see `annotated`
  UniqueId identity{};           ///< a device's copy of the image is known by it: an image is not changed in place
};

using Dataset = std::vector<Sample>;

/// Points that lie more than half a pixel outside of an image, or are no numbers.
std::size_t points_outside(std::span<const Point> points, Index height, Index width);

/// All that is annotated, whether it counts or not: what metrics::counted wants to know.
AnnotatedPoints annotated(const Sample& sample);

/// Makes a sample of a source image and its points: brings both to reference pixels and takes the statistics by a rule,
/// over all pixels. classes: of the points, or none: see AnnotatedPoints. areas: in source pixels; points that do not
/// count become `uncounted`. Throws ArgumentError, naming the image, if a point is not finite or lies more than half a
/// pixel outside, for classes that are not as many as the points or out of range, and for corners of areas that are not
/// finite or beyond 1e9 pixels.
Sample make_sample(Context<Cpu>& context, const Image& image, const std::vector<Point>& points, double scale,
                   std::string name, std::string group = {}, const Normalization& rule = {},
                   std::vector<int> classes = {}, const Areas& areas = {});

/// Anything but an Image: refused by the compiler, in a sentence.
template <class Other>
Sample make_sample(Context<Cpu>&, const Other&, const std::vector<Point>&, double, std::string, std::string = {},
                   const Normalization& = {}, std::vector<int> = {}, const Areas& = {}) {
  detail::refuse_unless_image<Other>();
  return {};
}

/// Takes the statistics of every sample again, by another rule.
void take_statistics(Context<Cpu>& context, const Normalization& rule, Dataset& dataset);

/// The constants of a training set: mean and deviation over all pixels (also where labels do not count), every image
/// and then every set weighing the same. Throws ArgumentError for an empty data set.
ChannelStatistics constants_of(Context<Cpu>& context, const Dataset& dataset);

#ifdef NUCDET_INLINE

NUCDET_INLINE std::size_t points_outside(std::span<const Point> points, Index height, Index width) {
  const double w = static_cast<double>(width), h = static_cast<double>(height);
  return static_cast<std::size_t>(std::count_if(points.begin(), points.end(), [&](const Point& p) {
    return !(p.x >= -1.0 && p.y >= -1.0 && p.x <= w && p.y <= h);
  }));
}

NUCDET_INLINE Sample make_sample(Context<Cpu>& context, const Image& image, const std::vector<Point>& points,
                                 double scale, std::string name, std::string group, const Normalization& rule,
                                 std::vector<int> classes, const Areas& areas) {
  check_classes(name, points.size(), classes);
  const View<const float> view = view_of(image);
  check_image(context, view, name);
  const std::size_t outside = points_outside(points, view.shape.h, view.shape.w);
  if (outside > 0)
    throw ArgumentError(message(name, ": ", outside, " of ", points.size(), " points lie outside the image of ",
                                view.shape.w, 'x', view.shape.h, " pixels"));
  Sample sample{resample(context, image, scale), {}, {}, std::move(name), std::move(group), scale};
  sample.areas = to_reference(areas, scale);
  try {
    const Shape size = view_of(sample.image).shape;
    sample.counted = CountedPixels(sample.areas, size.h, size.w);
  } catch (const ArgumentError& error) { throw ArgumentError(sample.name + ": " + error.what()); }
  AnnotatedPoints in, out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const Point p = to_reference(points[i], scale);
    AnnotatedPoints& to = sample.areas.count(p) ? in : out;
    to.points.push_back(p);
    if (!classes.empty()) to.classes.push_back(classes[i]);
  }
  sample.points = std::move(in.points), sample.classes = std::move(in.classes), sample.uncounted = std::move(out);
  sample.statistics = statistics_of(context, rule, view_of(std::as_const(sample.image)));
  return sample;
}

NUCDET_INLINE AnnotatedPoints annotated(const Sample& sample) {
  AnnotatedPoints all{sample.points, sample.classes};
  const AnnotatedPoints& more = sample.uncounted;
  all.points.insert(all.points.end(), more.points.begin(), more.points.end());
  if (all.classes.empty() && more.classes.empty()) return all;
  all.classes.resize(sample.points.size(), kUnknownClass);
  all.classes.insert(all.classes.end(), more.classes.begin(), more.classes.end());
  all.classes.resize(all.points.size(), kUnknownClass);
  return all;
}

NUCDET_INLINE void take_statistics(Context<Cpu>& context, const Normalization& rule, Dataset& dataset) {
  for (Sample& s : dataset) s.statistics = statistics_of(context, rule, view_of(std::as_const(s.image)));
}

NUCDET_INLINE ChannelStatistics constants_of(Context<Cpu>& context, const Dataset& dataset) {
  if (dataset.empty()) throw ArgumentError("constants_of: the dataset is empty");
  std::map<std::string, double> images;
  for (const Sample& s : dataset) images[s.set] += 1;
  std::vector<double> sums, squares;
  for (const Sample& s : dataset) {
    const ChannelStatistics own = statistics_of(context, view_of(s.image));
    const double share = 1 / (images[s.set] * static_cast<double>(images.size()));
    sums.resize(own.mean.size(), 0), squares.resize(own.mean.size(), 0);
    for (std::size_t c = 0; c < own.mean.size(); ++c) {
      const double mean = static_cast<double>(own.mean[c]), deviation = static_cast<double>(own.deviation[c]);
      sums[c] += share * mean, squares[c] += share * (mean * mean + deviation * deviation);
    }
  }
  return statistics_from(sums, squares, 1);
}

#endif

}  // namespace nucdet::data
