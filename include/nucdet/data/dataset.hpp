#pragma once
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "nucdet/data/normalize.hpp"
#include "nucdet/data/resample.hpp"

namespace nucdet::data {

/// One annotated image, in reference pixels.
struct Sample {
  Image image;  ///< values in [0, 1], not normalised
  std::vector<Point> points;
  ChannelStatistics statistics;  ///< of the whole image, for normalisation
  std::string name, group;       ///< group: the organ, or empty
  double scale = 1;              ///< that took the source to reference pixels
};

using Dataset = std::vector<Sample>;

/// Makes a sample of a source image and its points: brings both to reference pixels and takes the statistics.
/// Throws ArgumentError, naming the image, if a point is not finite or lies more than half a pixel outside.
inline Sample make_sample(Context<Cpu>& context, const Image& image, const std::vector<Point>& points, double scale,
                          std::string name, std::string group = {}) {
  const View<const float> view = view_of(image);
  std::size_t outside = 0;
  for (const Point& p : points) {
    const bool in = p.x >= -1.0 && p.y >= -1.0 && p.x <= static_cast<double>(view.shape.w) &&
                    p.y <= static_cast<double>(view.shape.h);
    outside += in ? 0 : 1;
  }
  if (outside > 0)
    throw ArgumentError(message(name, ": ", outside, " of ", points.size(), " points lie outside the image of ",
                                view.shape.w, 'x', view.shape.h, " pixels"));
  Sample sample{resample(context, image, scale), {}, {}, std::move(name), std::move(group), scale};
  for (const Point& p : points) sample.points.push_back(to_reference(p, scale));
  sample.statistics = statistics_of(context, view_of(std::as_const(sample.image)));
  return sample;
}

/// The indices of the samples of each group, groups in order of their names.
inline std::vector<std::vector<std::size_t>> groups_of(const Dataset& dataset) {
  std::map<std::string, std::vector<std::size_t>> groups;
  for (std::size_t i = 0; i < dataset.size(); ++i) groups[dataset[i].group].push_back(i);
  std::vector<std::vector<std::size_t>> list;
  for (auto& [name, members] : groups) list.push_back(std::move(members));
  return list;
}

}  // namespace nucdet::data
