#pragma once
#include <span>
#include <utility>
#include <vector>

#include "nucdet/label/render.hpp"

namespace nucdet::label {

namespace detail {

/// A centre as a pixel sees it: the box that it reaches, and its place from that box's corner, as `splat` has it.
struct Centre {
  Index x0, x1, y0, y1;  // half-open
  float x, y;
};

/// Gathers: a pixel looks at the centres that reach into its band of rows, in their order. The same numbers as `splat`
/// and `finish_row` give, which go from centre to centre instead.
template <class Profile>
struct GatherCentres {
  Profile profile;
  View<float> maps;  // every channel gets the same label
  const Centre* centres;
  const Index* first;  // band b of image n: centres first[n * bands + b] ... first[n * bands + b + 1] - 1
  Index bands, rows;   // of an image; of a band

  NUCDET_HD void operator()(const exec::Tile& t) const {
    const Index band = t.n * bands + t.y / rows;
    for (Index x = t.x0; x < t.x1; ++x) {
      const float value = at(t.y, x, first[band], first[band + 1]);
      for (Index c = t.c0; c < t.c1; ++c) maps(t.n, t.y, x, c) = value;
    }
  }

 private:
  NUCDET_HD float at(Index y, Index x, Index from, Index to) const {
    constexpr bool nearest = Profile::combine == Combine::nearest;
    float value = nearest ? kFar : 0.0f;
    for (Index i = from; i < to; ++i) {
      const Centre& p = centres[i];
      if (x < p.x0 || x >= p.x1 || y < p.y0 || y >= p.y1) continue;
      const float dx = static_cast<float>(x - p.x0) - p.x, dy = static_cast<float>(y - p.y0) - p.y;
      const float squared = dx * dx + dy * dy;
      if constexpr (nearest)
        value = squared < value ? squared : value;
      else
        value += profile(squared);
    }
    if constexpr (nearest) return profile(value);
    return value;
  }
};

/// The centres of all images, band by band, and where each band begins.
struct CentreTable {
  std::vector<Centre> centres;
  std::vector<Index> first{0};
  Index bands = 0, rows = 1;

  void add_image(std::span<const Point> points, double reach, const Shape& image) {
    const Bands in = bands_of(points, reach, image);
    bands = in.count, rows = in.rows;
    for (const Index i : in.points) {
      const Point p = points[static_cast<std::size_t>(i)];
      Reach r{};
      reach_of(p, reach, image, r);
      centres.push_back({r.x0, r.x1, r.y0, r.y1, static_cast<float>(p.x - static_cast<double>(r.x0)),
                         static_cast<float>(p.y - static_cast<double>(r.y0))});
    }
    const Index before = first.back();
    for (std::size_t b = 1; b < in.first.size(); ++b) first.push_back(before + in.first[b]);
  }
};

}  // namespace detail

/// Renders the label maps of a batch: points[n] are the centres of image n; maps: {n, h, w, any number of equal maps},
/// overwritten. See `render`.
template <LabelProfile Profile>
void render_batch(Context<Cpu>& context, const Profile& profile, std::span<const std::vector<Point>> points,
                  View<float> maps) {
  if (static_cast<Index>(points.size()) != maps.shape.n)
    throw ShapeError(message("label::render_batch: ", points.size(), " lists of points for maps of ", maps.shape));
  for (Index n = 0; n < maps.shape.n; ++n)
    for (Index c = 0; c < maps.shape.c; ++c)
      render(context, profile, points[static_cast<std::size_t>(n)], maps.image(n).channels(c, 1));
}

/// On a GPU: the points go up, every pixel of the batch is drawn by one kernel.
template <class Profile, class D>
void render_batch(Context<D>& context, const Profile& profile, std::span<const std::vector<Point>> points,
                  View<float> maps) {
  profile.check();
  if (static_cast<Index>(points.size()) != maps.shape.n)
    throw ShapeError(message("label::render_batch: ", points.size(), " lists of points for maps of ", maps.shape));
  if (maps.shape.count() == 0) return;
  detail::CentreTable table;
  for (const std::vector<Point>& of_image : points) {
    detail::check_finite(of_image);
    table.add_image(of_image, static_cast<double>(profile.reach()), {1, maps.shape.h, maps.shape.w, 1});
  }
  const DeviceArray<detail::Centre, D> centres(context, table.centres.data(), table.centres.size());
  const DeviceArray<Index, D> first(context, table.first.data(), table.first.size());
  exec::parallel_for(
      context, maps.shape,
      detail::GatherCentres<Profile>{profile, maps, centres.data(), first.data(), table.bands, table.rows});
}

}  // namespace nucdet::label
