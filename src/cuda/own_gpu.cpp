#include "nucdet/train/own_gpu.hpp"

#include <algorithm>
#include <map>
#include <span>
#include <string>
#include <vector>

namespace nucdet::train {

namespace {

constexpr const char* kWayOut =
    " (start a rank a GPU; --device cuda:N lets ranks share one, --device cpu does without)";

/// A rank sees GPUs, and all of them are taken.
std::string all_taken(std::size_t rank, const std::vector<cuda::Uuid>& seen,
                      const std::map<cuda::Uuid, std::size_t>& owners) {
  std::string by;
  for (const cuda::Uuid& gpu : seen) by += message(by.empty() ? "" : ", ", owners.at(gpu));
  return message("rank ", rank, " finds no GPU of its own: it sees ", seen.size(), ", taken by rank ", by, kWayOut);
}

}  // namespace

std::optional<int> own_gpu(Ranks& ranks, const cuda::Availability& there) {
  std::vector<cuda::Uuid> mine;
  for (const cuda::DeviceInfo& device : there.devices) mine.push_back(device.uuid);
  const auto seen = gathered_lists(ranks, std::span<const cuda::Uuid>(mine));
  const auto reasons = gathered_lists(ranks, std::span<const char>(there.reason));
  if (std::all_of(seen.begin(), seen.end(), [](const auto& gpus) { return gpus.empty(); })) return std::nullopt;
  std::map<cuda::Uuid, std::size_t> owners;
  int own = 0;
  for (std::size_t r = 0; r < seen.size(); ++r) {
    const std::vector<cuda::Uuid>& gpus = seen[r];
    if (gpus.empty())
      throw CudaError(
          message("rank ", r, " sees no GPU, others do: ", std::string(reasons[r].begin(), reasons[r].end()), kWayOut));
    const auto free = std::find_if(gpus.begin(), gpus.end(), [&](const auto& gpu) { return !owners.contains(gpu); });
    if (free == gpus.end()) throw CudaError(all_taken(r, gpus, owners));
    owners.emplace(*free, r);
    if (static_cast<Index>(r) == ranks.rank()) own = static_cast<int>(free - gpus.begin());
  }
  return own;
}

}  // namespace nucdet::train
