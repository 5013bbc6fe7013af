#include "shards.hpp"

#include <algorithm>
#include <charconv>
#include <numeric>
#include <queue>
#include <system_error>
#include <utility>

#include "nucdet/core/error.hpp"

namespace nucdet::program {

namespace {

constexpr int kMostShards = 1'000'000;

/// A number of decimal digits alone, the whole text.
std::optional<int> number_in(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  const bool fits = error == std::errc() && end == text.data() + text.size() && value >= 0 && text.front() != '-';
  return fits ? std::optional(value) : std::nullopt;
}

/// What an image costs beside its bytes: opening, a tile at least, several files to write. Thousands of small ones are
/// dealt out evenly too.
constexpr std::uint64_t kEach = std::uint64_t{1} << 16;

}  // namespace

Shard parse_shard(const std::string& text) {
  const std::string_view all = text;
  const std::size_t slash = all.find('/');
  if (slash != all.npos && slash > 0 && slash + 1 < all.size()) {
    const auto number = number_in(all.substr(0, slash)), count = number_in(all.substr(slash + 1));
    if (number && count && *number >= 1 && *number <= *count && *count <= kMostShards) return {*number, *count};
  }
  throw ArgumentError(message("--shard is '", text, "', wanted I/N with I from 1 to N: 1/4 to 4/4 share a list"));
}

std::optional<Shard> shard_of_array(const std::function<const char*(const char*)>& variable) {
  const auto value = [&](const char* name) -> std::optional<int> {
    const char* text = variable(name);
    return text == nullptr || *text == '\0' ? std::nullopt : number_in(text);
  };
  const auto id = value("SLURM_ARRAY_TASK_ID"), count = value("SLURM_ARRAY_TASK_COUNT");
  if (!id || !count || *count < 1 || *count > kMostShards) return std::nullopt;
  const int first = value("SLURM_ARRAY_TASK_MIN").value_or(0);
  const int step = std::max(1, value("SLURM_ARRAY_TASK_STEP").value_or(1));
  const int last = value("SLURM_ARRAY_TASK_MAX").value_or(first + (*count - 1) * step);
  const bool even = *id >= first && (*id - first) % step == 0 && (last - first) / step + 1 == *count;
  if (!even || (*id - first) / step >= *count)
    throw ArgumentError(message("task ", *id, " of ", *count, " tasks from ", first, " to ", last,
                                " (SLURM_ARRAY_TASK_*): an array with gaps does not say which shard is meant; give "
                                "--shard I/N (--shard 1/1: all images)"));
  return Shard{(*id - first) / step + 1, *count};
}

std::vector<std::size_t> in_shard(std::span<const Share> shares, const Shard& shard) {
  std::vector<std::size_t> order(shares.size()), mine;
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return shares[a].bytes != shares[b].bytes ? shares[a].bytes > shares[b].bytes : shares[a].name < shares[b].name;
  });
  using Load = std::pair<std::uint64_t, int>;  // the lowest number first among equals
  std::priority_queue<Load, std::vector<Load>, std::greater<>> loads;
  for (int number = 1; number <= shard.count; ++number) loads.emplace(0, number);
  for (const std::size_t i : order) {
    const auto [load, number] = loads.top();
    loads.pop();
    loads.emplace(load + shares[i].bytes + kEach, number);
    if (number == shard.number) mine.push_back(i);
  }
  std::sort(mine.begin(), mine.end());
  return mine;
}

}  // namespace nucdet::program
