#pragma once
#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/transfer.hpp"
#include "nucdet/data/image_view.hpp"
#include "nucdet/data/normalization.hpp"
#include "nucdet/data/pad.hpp"
#include "nucdet/detect/nucleus_map.hpp"
#include "nucdet/detect/orientation.hpp"
#include "nucdet/detect/tile_grid.hpp"
#include "nucdet/detect/tile_pass.hpp"

namespace nucdet::detect {

/// What a network says of a tile: the map in which nuclei are sought, [1, h, w, 1], and the classes' scores before the
/// softmax, [1, h, w, classes], or none.
template <class Device>
struct TileMaps {
  Tensor<Device> map, scores;
};

/// A network that looks at rectangles of images: normalised, reflected to a multiple of its coarsest stride, seen one
/// way or eight. Thread-safe on the CPU; on a GPU one thread at a time.
template <class Device>
class NetworkOnTiles {
 public:
  using Network = typename TilePass<Device>::Network;

  /// Throws ArgumentError for a network whose head is not known.
  NetworkOnTiles(Context<Device>& context, Network network, Averaging averaging);

  Context<Device>& context() const { return *context_; }
  const Network& network() const { return network_; }

  /// What the network sees of a rectangle: its size brought to a multiple of the coarsest stride.
  Shape padded(const Rectangle& read) const;
  /// The network's outputs for a rectangle of an image on the host, reflected where it reaches beyond it to a multiple
  /// of the stride, however many ways the maps are averaged over. Each [1, h, w, maps]; those of the input's size are
  /// cut to `read`.
  std::vector<Tensor<Device>> outputs(View<const float> image, const data::ChannelStatistics& statistics,
                                      const Rectangle& read) const;
  /// What outputs say.
  TileMaps<Device> maps_of(const std::vector<Tensor<Device>>& outputs) const;

  /// What the network says of a rectangle of an image on the host: the mean over the ways it is looked at.
  TileMaps<Device> maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                        const Rectangle& read) const;
  TileMaps<Device> maps(View<const float> image, const data::ChannelStatistics& statistics,
                        const Rectangle& read) const;
  /// The same of an image in the device's memory, or of bytes on the host, which become floats on the device.
  TileMaps<Device> resident_maps(View<const float> image, const data::ChannelStatistics& statistics,
                                 const Rectangle& read) const {
    return seen(image, statistics, read);
  }
  TileMaps<Device> resident_maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                 const Rectangle& read) const {
    return seen(image, statistics, read);
  }

 private:
  template <class Pixels>
  TileMaps<Device> seen(const Pixels& image, const data::ChannelStatistics& statistics, const Rectangle& read) const;
  std::size_t number_of(const std::string& output) const;
  /// Calls body(image in the device's memory, where `read` lies in it).
  template <class Body>
  auto on_device(View<const float> image, const Rectangle& read, const Body& body) const {
    if constexpr (std::is_same_v<Device, Cpu>) {
      return body(image, read);
    } else {
      const Tensor<Device> tile = to_device(context(), image.window(read.y, read.x, read.height, read.width));
      return body(tile.template view<const float>(), Rectangle{0, 0, read.width, read.height});
    }
  }
  template <class Pixels>
  void prepare(const Pixels& image, const data::ChannelStatistics& statistics, const Rectangle& read,
               Tensor<Device>& tile) const;
  template <class Pixels>
  std::vector<Tensor<Device>> resident_outputs(const Pixels& image, const data::ChannelStatistics& statistics,
                                               const Rectangle& read) const;
  /// The maps that the head names have a place for every pixel of the image; others may have any size.
  void check_sizes(const std::vector<Tensor<Device>>& outputs, const Shape& input) const;
  /// A map's shape without what was padded, if it has the input's size; else its own.
  static Shape cut_shape(Shape map, const Shape& input, const Rectangle& read) {
    if (map.h == input.h && map.w == input.w) map.h = read.height, map.w = read.width;
    return map;
  }

  Context<Device>* context_;
  Network network_;
  Averaging averaging_;
  std::size_t map_ = 0, class_map_ = 0;  ///< numbers of the outputs
  std::shared_ptr<PassPool<Device>> passes_ = std::make_shared<PassPool<Device>>();
};

#ifdef NUCDET_BODIES

template <class Device>
NetworkOnTiles<Device>::NetworkOnTiles(Context<Device>& context, Network network, Averaging averaging)
    : context_(&context), network_(std::move(network)), averaging_(averaging) {
  averaging_.check();
  const nn::Head& head = network_->head;
  if (head.kind == nn::Head::Kind::none)
    throw ArgumentError(
        "Detector: the network's type names no head (using head = nn::Proximity;): what its maps mean is not known");
  map_ = number_of(head.map), class_map_ = head.class_map.empty() ? map_ : number_of(head.class_map);
}

template <class Device>
Shape NetworkOnTiles<Device>::padded(const Rectangle& read) const {
  const Index stride = network_->coarsest_stride;
  return {1, data::round_up(read.height, stride), data::round_up(read.width, stride), network_->in_channels};
}

template <class Device>
std::vector<Tensor<Device>> NetworkOnTiles<Device>::outputs(View<const float> image,
                                                            const data::ChannelStatistics& statistics,
                                                            const Rectangle& read) const {
  return on_device(image, read,
                   [&](View<const float> tile, const Rectangle& at) { return resident_outputs(tile, statistics, at); });
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps_of(const std::vector<Tensor<Device>>& outputs) const {
  TileMaps<Device> maps{nucleus_map(context(), network_->head.kind, outputs[map_]), {}};
  const Index classes = static_cast<Index>(network_->head.classes.size());
  if (classes == 0) return maps;
  maps.scores = outputs[class_map_];
  if (class_map_ == map_) maps.scores = maps.scores.channels(1, classes);
  return maps;
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps(const data::ImageView& image, const data::ChannelStatistics& statistics,
                                              const Rectangle& read) const {
  return resident_maps(image, statistics, read);
}

template <class Device>
TileMaps<Device> NetworkOnTiles<Device>::maps(View<const float> image, const data::ChannelStatistics& statistics,
                                              const Rectangle& read) const {
  return on_device(image, read,
                   [&](View<const float> tile, const Rectangle& at) { return resident_maps(tile, statistics, at); });
}

template <class Device>
std::size_t NetworkOnTiles<Device>::number_of(const std::string& output) const {
  const auto& all = network_->program.outputs();
  const auto found = std::find_if(all.begin(), all.end(), [&](const auto& o) { return o.name == output; });
  return found == all.end() ? 0 : static_cast<std::size_t>(found - all.begin());  // no name: the first
}

template <class Device>
void NetworkOnTiles<Device>::check_sizes(const std::vector<Tensor<Device>>& outputs, const Shape& input) const {
  for (const std::size_t i : {map_, class_map_}) {
    const Shape& s = outputs[i].shape();
    if (s.h != input.h || s.w != input.w)
      throw ShapeError(message("Detector: the output '", network_->program.outputs()[i].name, "' is ", s,
                               " for an input of ", input, ": the head's maps must have the input's size"));
  }
}

template <class Device>
template <class Pixels>
TileMaps<Device> NetworkOnTiles<Device>::seen(const Pixels& image, const data::ChannelStatistics& statistics,
                                              const Rectangle& read) const {
  if (averaging_.over == 1) return maps_of(resident_outputs(image, statistics, read));
  Tensor<Device> tile = context().make(padded(read));
  prepare(image, statistics, read, tile);
  const auto plain = std::as_const(tile).template view<const float>();
  TileMaps<Device> mean;
  for (const Orientation& way : kOrientations) {
    const auto pass = passes_->take(context(), network_, way.of(tile.shape()));
    reorient(context(), plain, way, pass->input().template view<float>());
    check_sizes(pass->run(), way.of(tile.shape()));
    const TileMaps<Device> maps = maps_of(pass->outputs());
    const auto add = [&](const Tensor<Device>& map, Tensor<Device>& sum) {
      if (!map) return;
      if (!sum) sum = context().zeros(cut_shape(way.of(map.shape()), tile.shape(), read));
      add_turned_back(context(), map.template view<const float>(), way, 1.0f / 8, sum.template view<float>());
    };
    add(maps.map, mean.map), add(maps.scores, mean.scores);
  }
  return mean;
}

template <class Device>
template <class Pixels>
void NetworkOnTiles<Device>::prepare(const Pixels& image, const data::ChannelStatistics& statistics,
                                     const Rectangle& read, Tensor<Device>& tile) const {
  const View<float> x = tile.template view<float>();
  data::copy_reflected(context(), image, read.y, read.x, x);
  data::normalize(context(), x, statistics, x);
}

template <class Device>
template <class Pixels>
std::vector<Tensor<Device>> NetworkOnTiles<Device>::resident_outputs(const Pixels& image,
                                                                     const data::ChannelStatistics& statistics,
                                                                     const Rectangle& read) const {
  const Shape shape = padded(read);
  const auto pass = passes_->take(context(), network_, shape);
  prepare(image, statistics, read, pass->input());
  std::vector<Tensor<Device>> all = pass->run();
  check_sizes(all, shape);
  for (Tensor<Device>& output : all) {
    const Shape cut = cut_shape(output.shape(), shape, read);
    output = output.window(0, 0, cut.h, cut.w);
  }
  return all;
}

#endif

}  // namespace nucdet::detect
