#pragma once
#include <algorithm>
#include <array>
#include <concepts>
#include <span>
#include <type_traits>
#include <vector>

#include "nucdet/core/context.hpp"
#include "nucdet/core/ranks.hpp"

namespace nucdet::train {

/// How the processes of a training agree on a step. A reducer says who they are and makes numbers on a device, the
/// gradients, the mean over them; each rank has the same number of images in a batch, so that the mean of its gradients
/// is the gradient of the batch of all.
template <class R, class Device>
concept Reducer = requires(R reducer, Context<Device>& context, std::span<float> numbers) {
  { reducer.ranks() } -> std::convertible_to<Ranks*>;  // null: one process alone
  reducer.mean(context, numbers);
};

/// A reducer that can exchange gradients during the backward pass that makes them: it is told in its course which are
/// final (see Ranks::begin_mean), and if it comes to no end, by the host. On a GPU that records a step as a graph and
/// replays it, the host has no part in that course but once.
template <class R, class Device>
concept EarlyReducer = Reducer<R, Device> &&
    requires(R reducer, Context<Device>& context, std::span<float> numbers, std::size_t final_from) {
  reducer.begin_mean(context, numbers, final_from);
  reducer.abandon_mean();
};

/// One process alone.
struct Single {
  Ranks* ranks() const { return nullptr; }
  template <class Device>
  void mean(Context<Device>&, std::span<float>) const {}
};

/// Several processes that pass numbers through their hosts' memory: those of `nucdet::mpi`, say. Null: one alone. Those
/// of a GPU leave it when the backward pass is done.
struct AmongRanks {
  Ranks* together = nullptr;

  Ranks* ranks() const { return together; }
  template <class Device>
  void mean(Context<Device>& context, std::span<float> numbers) const {
    if (together == nullptr) return;
    if constexpr (std::is_same_v<Device, Cpu>) {
      together->mean(numbers);
    } else {
      std::vector<float> host(numbers.size());
      context.download(host.data(), numbers.data(), numbers.size_bytes());
      together->mean(host);
      context.upload(numbers.data(), host.data(), numbers.size_bytes());
    }
  }
  void begin_mean(Context<Cpu>&, std::span<float> numbers, std::size_t final_from) const {
    if (together != nullptr) together->begin_mean(numbers, final_from);
  }
  void abandon_mean() const noexcept {
    if (together != nullptr) together->abandon_mean();
  }
};

namespace detail {

/// The part of a batch that this rank draws.
template <class Sampler>
Sampler of_rank(Sampler sampler, const Ranks* ranks) {
  if (ranks != nullptr) sampler.rank = ranks->rank(), sampler.ranks = ranks->count();
  return sampler;
}

/// Whether any rank says so.
inline bool any(Ranks* ranks, bool mine) {
  if (ranks == nullptr) return mine;
  const std::vector<char> all = gathered(*ranks, static_cast<char>(mine));
  return std::find(all.begin(), all.end(), 1) != all.end();
}

/// Replaces numbers by their means over the ranks, added in their order.
template <std::size_t Count>
void mean(Ranks& ranks, double (&numbers)[Count]) {
  std::array<double, Count> mine;
  std::copy(numbers, numbers + Count, mine.begin());
  std::fill(numbers, numbers + Count, 0.0);
  for (const auto& of_rank : gathered(ranks, mine))
    for (std::size_t i = 0; i < Count; ++i) numbers[i] += of_rank[i] / static_cast<double>(ranks.count());
}

}  // namespace detail

}  // namespace nucdet::train
