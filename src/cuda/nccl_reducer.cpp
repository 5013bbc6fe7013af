#include "nucdet/train/nccl_reducer.hpp"

#include <algorithm>
#include <map>
#include <vector>

#include "check.hpp"
#include "nccl_communicator.hpp"
#include "rank_means.hpp"

namespace nucdet::train {

namespace {

using cuda::NcclPiece;

/// What a rank brings.
struct Offer {
  int version;  ///< of NCCL
  cuda::Uuid gpu;
};

/// Numbers cut into a part a rank, all of one size but for the last ones.
struct Parts {
  std::size_t size, ranks;

  std::size_t first(std::size_t rank) const { return std::min(size, rank * ((size + ranks - 1) / ranks)); }
  std::size_t count(std::size_t rank) const { return first(rank + 1) - first(rank); }
};

/// An event that only says whether it has come.
class Event {
 public:
  Event() { cuda::check(cudaEventCreateWithFlags(&event_, cudaEventDisableTiming), "event"); }
  ~Event() { cudaEventDestroy(event_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void record(cudaStream_t stream) { cuda::check(cudaEventRecord(event_, stream), "event"); }
  bool came() const {
    const cudaError_t status = cudaEventQuery(event_);
    if (status == cudaErrorNotReady) return cudaGetLastError(), false;
    cuda::check(status, "work on the device");
    return true;
  }

 private:
  cudaEvent_t event_ = nullptr;
};

const cuda::NcclApi& usable(Context<Cuda>& context, Ranks& ranks) {
  if (const std::string why = NcclReducer::why_not(context, ranks); !why.empty())
    throw CudaError("NcclReducer: " + why);
  context.stream();  // selects the device
  return cuda::nccl_api();
}

}  // namespace

class NcclReducer::State {
 public:
  State(Context<Cuda>& context, Ranks& ranks) : ranks_(ranks), communicator_(usable(context, ranks), ranks) {}

  Ranks& ranks() const { return ranks_; }

  void mean(Context<Cuda>& context, std::span<float> numbers) {
    meet(context, numbers.size());
    if (numbers.empty()) return;
    const std::size_t count = static_cast<std::size_t>(ranks_.count()), rank = static_cast<std::size_t>(ranks_.rank());
    const Parts parts{numbers.size(), count};
    const std::span<float> own = numbers.subspan(parts.first(rank), parts.count(rank));
    const DeviceArray<float, Cuda> received(context, own.size() * count);
    const cudaStream_t stream = static_cast<cudaStream_t>(context.stream());
    std::vector<NcclPiece> away, here, means_away, means_here;
    for (std::size_t r = 0; r < count; ++r) {
      const int number = static_cast<int>(r);
      const NcclPiece of_rank{numbers.data() + parts.first(r), parts.count(r), number};
      const bool other = r != rank;
      if (of_rank.count > 0) away.push_back(of_rank);
      if (of_rank.count > 0 && other) means_here.push_back(of_rank);
      if (!own.empty()) here.push_back({received.data() + r * own.size(), own.size(), number});
      if (!own.empty() && other) means_away.push_back({own.data(), own.size(), number});
    }
    communicator_.exchange("exchange of parts", away, here, stream);
    exec::parallel_for(context, optim::detail::blocks(own.size()),
                       cuda::RankMeans{received.data(), own.data(), static_cast<Index>(own.size()), ranks_.count()});
    communicator_.exchange("exchange of means", means_away, means_here, stream);
    done_.record(stream);
    communicator_.wait("mean", [this] { return done_.came(); });
  }

 private:
  /// The ranks come together on the hosts first: for one that is late or gone they wait with the patience of `Ranks`,
  /// of which the device's own work is no part, and NCCL is only asked for what all have come to.
  void meet(Context<Cuda>& context, std::size_t size) {
    context.synchronize();
    const std::vector<std::size_t> sizes = gathered(ranks_, size);
    for (std::size_t r = 0; r < sizes.size(); ++r)
      if (sizes[r] != size)
        throw RanksError(message("NcclReducer: rank ", ranks_.rank(), " has ", size, " numbers, rank ", r, " has ",
                                 sizes[r], ", wanted as many"));
  }

  Ranks& ranks_;
  Event done_;
  cuda::NcclCommunicator communicator_;
};

NcclReducer::NcclReducer(Context<Cuda>& context, Ranks& ranks) : state_(std::make_unique<State>(context, ranks)) {}
NcclReducer::~NcclReducer() = default;
NcclReducer::NcclReducer(NcclReducer&&) noexcept = default;

Ranks* NcclReducer::ranks() const { return &state_->ranks(); }
void NcclReducer::mean(Context<Cuda>& context, std::span<float> numbers) { state_->mean(context, numbers); }

std::string NcclReducer::why_not(Context<Cuda>& context, Ranks& ranks) {
  const cuda::NcclApi& api = cuda::nccl_api();
  const auto problems = gathered_lists(ranks, std::span<const char>(api.problem));
  const std::vector<Offer> offers = gathered(ranks, Offer{api.version, context.device().uuid});
  for (std::size_t r = 0; r < problems.size(); ++r)
    if (!problems[r].empty()) return message("rank ", r, ": ", std::string(problems[r].begin(), problems[r].end()));
  std::map<cuda::Uuid, std::size_t> owners;
  for (std::size_t r = 0; r < offers.size(); ++r) {
    if (offers[r].version != offers[0].version)
      return message("rank ", r, " has NCCL ", cuda::text_of_nccl(offers[r].version), ", rank 0 has ",
                     cuda::text_of_nccl(offers[0].version));
    const auto [owner, fresh] = owners.emplace(offers[r].gpu, r);
    if (!fresh) return message("ranks ", owner->second, " and ", r, " share a GPU");
  }
  return {};
}

}  // namespace nucdet::train
