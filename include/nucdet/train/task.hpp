#pragma once
#include <array>
#include <cmath>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "nucdet/label/render_batch.hpp"
#include "nucdet/label/render_classes.hpp"
#include "nucdet/loss/evaluate.hpp"
#include "nucdet/nn/model.hpp"

namespace nucdet::train {

namespace detail {
using label::render_batch;  // beside those of a label's own namespace

/// The labels of a batch: nuclei[n] are those of image n.
template <class D, class Y>
void draw_labels(Context<D>& context, const Y& label, std::span<const AnnotatedPoints> nuclei, View<float> maps) {
  render_batch(context, label, nuclei, maps);
}
template <class Y>
concept HasRenderBatch = requires(const Y& label, Context<Cpu>& context, std::span<const AnnotatedPoints> nuclei,
                                  View<float> maps) {
  render_batch(context, label, nuclei, maps);
};
}  // namespace detail

/// What labels are drawn by: a LabelProfile, from the centres alone, or a label of its own with a render_batch.
template <class Y>
concept Label = detail::HasRenderBatch<Y> && requires(const Y& label) {
  label.check();
};
template <class L>
inline constexpr bool is_label = Label<L>;

/// What an output is trained for: a loss that compares it with a label, and a weight in the sum of the losses.
template <class L, class Y>
struct Task {
  static_assert(loss::is_pixel_loss<L>, "nucdet: a loss needs value, slope and target_maps (see loss/pixel_loss.hpp)");
  static_assert(is_label<Y>,
                "nucdet: a label is a LabelProfile (see label/profile.hpp) or has a render_batch of its own");
  using Loss = L;

  L loss;
  Y label;
  std::string output{};  ///< its name; empty: the first
  double weight = 1;

  void check() const {
    if constexpr (requires { loss.check(); }) loss.check();
    label.check();
    if (!(weight > 0 && std::isfinite(weight)))
      throw ArgumentError(message("Task: the weight of output '", output, "' is ", weight, ", must be > 0"));
  }
};
template <class L, class Y>
Task(L, Y) -> Task<L, Y>;
template <class L, class Y>
Task(L, Y, std::string, double = 1) -> Task<L, Y>;

namespace detail {

/// The outputs that tasks are for, by number. Throws ArgumentError, naming it, for an output that the network has not,
/// for one that has two tasks, and for a loss that takes no maps of so many channels.
template <class Device, class... Tasks>
std::array<std::size_t, sizeof...(Tasks)> outputs_of(const nn::Model<Device>& model,
                                                     const std::tuple<Tasks...>& tasks) {
  const auto& all = model.program().outputs();
  const auto number = [&](const auto& task) {
    task.check();
    std::size_t i = 0;
    while (!task.output.empty() && i < all.size() && all[i].name != task.output) ++i;
    if (i == all.size()) throw ArgumentError(message("Task: the network has no output '", task.output, "'"));
    if (task.loss.target_maps(all[i].channels) < 1)
      throw ArgumentError(
          message("Task: the loss takes no output of ", all[i].channels, " maps, which '", all[i].name, "' has"));
    return i;
  };
  const std::array<std::size_t, sizeof...(Tasks)> numbers =
      std::apply([&](const auto&... task) { return std::array{number(task)...}; }, tasks);
  for (std::size_t i = 0; i < numbers.size(); ++i)
    for (std::size_t k = i + 1; k < numbers.size(); ++k)
      if (numbers[i] == numbers[k])
        throw ArgumentError(message("Task: the output '", all[numbers[i]].name, "' has two"));
  return numbers;
}

/// Nuclei of an image in the pixels of a map of it that may be smaller.
inline AnnotatedPoints in_pixels_of(AnnotatedPoints nuclei, const Shape& image, const Shape& map) {
  if (map.h == image.h && map.w == image.w) return nuclei;
  const double y = static_cast<double>(map.h) / static_cast<double>(image.h),
               x = static_cast<double>(map.w) / static_cast<double>(image.w);
  for (Point& p : nuclei.points) p = {(p.x + 0.5) * x - 0.5, (p.y + 0.5) * y - 0.5};
  return nuclei;
}

/// Calls body(task, number) for each task, in order.
template <class Tasks, class Body>
void for_each_task(const Tasks& tasks, Body&& body) {
  std::size_t i = 0;
  std::apply([&](const auto&... task) { (body(task, i++), ...); }, tasks);
}

}  // namespace detail
}  // namespace nucdet::train
