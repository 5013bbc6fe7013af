#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

/// A list of images shared out among tasks that know nothing of each other.
namespace nucdet::program {

/// The part of a list that a task works on: the first of four is 1/4.
struct Shard {
  int number = 1, count = 1;

  bool whole() const { return count == 1; }
  std::string text() const { return std::to_string(number) + '/' + std::to_string(count); }
  friend bool operator==(const Shard&, const Shard&) = default;
};

/// "1/4". Throws ArgumentError.
Shard parse_shard(const std::string& text);

/// The shard of this task in a job array of Slurm, by SLURM_ARRAY_TASK_ID and what goes with it; nothing outside of an
/// array. Throws ArgumentError for an array with gaps (--array=1,2,7): numbers of tasks are no numbers of shards then.
std::optional<Shard> shard_of_array(const std::function<const char*(const char*)>& variable);

/// Something to share out: what it is called, unlike any other, and how large its files are.
struct Share {
  std::string name{};
  std::uint64_t bytes = 0;
};

/// Which of these are the shard's, by their numbers, in their order. Every task comes to the same: shards depend on
/// names and sizes, not on the order. The largest are dealt out first, each to the shard that has the least so far
/// (longest processing time first: R. L. Graham, Bounds on multiprocessing timing anomalies, SIAM J. Appl. Math. 17,
/// 1969: no shard takes more than 4/3 of what the best sharing would).
std::vector<std::size_t> in_shard(std::span<const Share> shares, const Shard& shard);

}  // namespace nucdet::program
