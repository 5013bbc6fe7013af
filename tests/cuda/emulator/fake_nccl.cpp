#include "fake_nccl.hpp"

#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "cuda/nccl_api.hpp"
#include "emulator.hpp"
#include "stream.hpp"

namespace nucdet_test {

namespace {

/// One way between two ranks: what one sends and the other awaits.
struct Transfer {
  const float* from = nullptr;
  float* to = nullptr;
  std::size_t sent = 0, awaited = 0;
  bool done = false;
};

struct Clique {
  int count = 0;
  std::set<int> joined;
  std::map<std::tuple<int, int, std::size_t>, std::shared_ptr<Transfer>> transfers;  ///< from, to, number of that way

  std::shared_ptr<Transfer> transfer(int from, int to, std::size_t number) {
    std::shared_ptr<Transfer>& found = transfers[{from, to, number}];
    if (found == nullptr) found = std::make_shared<Transfer>();
    return found;
  }
};

struct Call {
  bool sends;
  float* numbers;
  std::size_t count;
  int peer;
  cudaStream_t stream;
};

struct End {
  std::shared_ptr<Transfer> transfer;
  Call call;
};

}  // namespace

}  // namespace nucdet_test

struct ncclComm {
  std::shared_ptr<nucdet_test::Clique> clique;
  int rank = 0, polls = 0;
  bool finalized = false;
  std::function<void()> begun{};                       ///< what is done once it has been asked for often enough
  std::vector<nucdet_test::Call> calls{};              ///< of the open group
  std::map<std::pair<bool, int>, std::size_t> ways{};  ///< calls so far, by direction and peer
  std::shared_ptr<bool> aborted = std::make_shared<bool>(false);
};

namespace nucdet_test {

namespace {

using namespace nucdet::cuda;

// All state is the device's: its mutex guards it, as operations run under it.
using Lock = std::lock_guard<std::recursive_mutex>;

std::map<std::string, std::shared_ptr<Clique>>& cliques() {
  static auto& all = *new std::map<std::string, std::shared_ptr<Clique>>;
  return all;
}
std::size_t alive = 0, aborted = 0;

thread_local int depth = 0;
thread_local std::vector<NcclComm> in_group;

bool fails(const char* function) { return fake_nccl().failing == function && fake_nccl().after-- <= 0; }
bool busy(NcclComm comm) {
  return comm->polls > 0 || comm->begun || comm->clique->joined.size() < static_cast<std::size_t>(comm->clique->count);
}

NcclResult get_version(int* version) { return *version = fake_nccl().version, kNcclSuccess; }
const char* get_error_string(NcclResult result) {
  return result == kNcclSystemError       ? "unhandled system error"
         : result == kNcclInvalidUsage    ? "invalid usage"
         : result == kNcclRemoteError     ? "remote process exited or there was a network error"
         : result == kNcclInvalidArgument ? "invalid argument"
                                          : "unknown result code";
}
const char* get_last_error(NcclComm) { return "the fake was told so"; }

NcclResult get_unique_id(NcclUniqueId* id) {
  const Lock lock(emulator::device_mutex());
  if (fails("ncclGetUniqueId")) return kNcclSystemError;
  const std::string name = "clique " + std::to_string(cliques().size());
  cliques()[name] = std::make_shared<Clique>();
  std::memcpy(id->internal, name.c_str(), name.size() + 1);
  return kNcclSuccess;
}

NcclResult init_rank(NcclComm* comm, int count, NcclUniqueId id, int rank, NcclConfig* config) {
  const Lock lock(emulator::device_mutex());
  *comm = nullptr;
  if (fails("ncclCommInitRankConfig")) return kNcclSystemError;
  const auto found = cliques().find(std::string(id.internal, strnlen(id.internal, sizeof id.internal)));
  if (found == cliques().end() || config->size != 24 || config->magic != 0xcafebeef || config->version != 21400 ||
      config->blocking != 0 || rank < 0 || rank >= count)
    return kNcclInvalidArgument;
  Clique& clique = *found->second;
  if ((clique.count != 0 && clique.count != count) || !clique.joined.insert(rank).second) return kNcclInvalidUsage;
  clique.count = count;
  *comm = new ncclComm{.clique = found->second, .rank = rank, .polls = fake_nccl().polls};
  ++alive;
  return kNcclInProgress;
}

NcclResult get_async_error(NcclComm comm, NcclResult* state) {
  const Lock lock(emulator::device_mutex());
  if (fails("ncclCommGetAsyncError")) return kNcclInvalidArgument;
  *state = kNcclInProgress;
  if (fails("later")) return *state = kNcclRemoteError, kNcclSuccess;
  if (comm->polls > 0) return --comm->polls, kNcclSuccess;
  if (comm->begun) std::exchange(comm->begun, nullptr)();
  if (!busy(comm)) *state = kNcclSuccess;
  return kNcclSuccess;
}

NcclResult group_start() {
  if (fails("ncclGroupStart")) return kNcclSystemError;
  ++depth;
  return kNcclSuccess;
}

/// A rank's part of a group as its stream comes to it: true once all of it has been moved.
bool meet(const std::vector<End>& ends) {
  bool all = true;
  for (const End& end : ends) {
    Transfer& t = *end.transfer;
    if (end.call.sends)
      t.from = end.call.numbers, t.sent = end.call.count;
    else
      t.to = end.call.numbers, t.awaited = end.call.count;
    if (!t.done && t.from != nullptr && t.to != nullptr) {
      if (t.sent != t.awaited) emulator::fail("NCCL: one rank sends other numbers than the other awaits");
      std::memmove(t.to, t.from, t.sent * sizeof(float));
      t.done = true;
    }
    all = all && t.done;
  }
  return all;
}

void enqueue(ncclComm& comm, const std::vector<Call>& calls, bool silent) {
  std::vector<End> ends;
  for (const Call& call : calls) {
    const std::size_t number = comm.ways[{call.sends, call.peer}]++;
    const int from = call.sends ? comm.rank : call.peer, to = call.sends ? call.peer : comm.rank;
    ends.push_back({comm.clique->transfer(from, to, number), call});
  }
  emulator::enqueue_until(calls[0].stream,
                          [ends, silent, stopped = comm.aborted] { return *stopped || (!silent && meet(ends)); });
}

NcclResult group_end() {
  const Lock lock(emulator::device_mutex());
  if (depth-- == 0) return depth = 0, kNcclInvalidUsage;
  const std::vector<NcclComm> comms = std::exchange(in_group, {});
  if (fails("ncclGroupEnd")) return kNcclSystemError;
  for (const NcclComm comm : comms) {
    comm->polls = fake_nccl().polls;
    comm->begun = [comm, calls = std::exchange(comm->calls, {}), silent = fake_nccl().silent] {
      enqueue(*comm, calls, silent);
    };
  }
  return kNcclInProgress;
}

NcclResult add(const char* function, NcclComm comm, int type, const Call& call) {
  const Lock lock(emulator::device_mutex());
  if (fails(function)) return kNcclSystemError;
  if (depth == 0 || busy(comm) || comm->finalized) return kNcclInvalidUsage;
  if (call.count == 0 || type != kNcclFloat32 || call.peer < 0 || call.peer >= comm->clique->count ||
      !emulator::device().arena().holds(call.numbers, call.count * sizeof(float)))
    return kNcclInvalidArgument;
  if (comm->calls.empty()) in_group.push_back(comm);
  comm->calls.push_back(call);
  return kNcclSuccess;
}
NcclResult send(const void* numbers, std::size_t count, int type, int peer, NcclComm comm, cudaStream_t stream) {
  float* const from = const_cast<float*>(static_cast<const float*>(numbers));
  return add("ncclSend", comm, type, {true, from, count, peer, stream});
}
NcclResult receive(void* numbers, std::size_t count, int type, int peer, NcclComm comm, cudaStream_t stream) {
  return add("ncclRecv", comm, type, {false, static_cast<float*>(numbers), count, peer, stream});
}

NcclResult finalize(NcclComm comm) {
  const Lock lock(emulator::device_mutex());
  if (fails("ncclCommFinalize")) return kNcclSystemError;
  if (busy(comm) || std::exchange(comm->finalized, true)) return kNcclInvalidUsage;
  comm->polls = fake_nccl().polls;
  return kNcclInProgress;
}
NcclResult destroy(NcclComm comm) {
  const Lock lock(emulator::device_mutex());
  if (busy(comm) || !comm->finalized) return kNcclInvalidUsage;
  delete comm;
  --alive;
  return kNcclSuccess;
}
NcclResult abort(NcclComm comm) {
  const Lock lock(emulator::device_mutex());
  *comm->aborted = true;
  std::erase(in_group, comm);
  delete comm;
  --alive, ++aborted;
  return kNcclSuccess;
}

}  // namespace

FakeNccl& fake_nccl() {
  thread_local FakeNccl options;
  return options;
}

std::size_t fake_nccl_communicators() {
  const Lock lock(emulator::device_mutex());
  return alive;
}
std::size_t fake_nccl_aborted() {
  const Lock lock(emulator::device_mutex());
  return aborted;
}

}  // namespace nucdet_test

const nucdet::cuda::NcclApi& nucdet::cuda::nccl_api() {
  thread_local NcclApi api;
  api = {.get_version = nucdet_test::get_version,
         .get_error_string = nucdet_test::get_error_string,
         .get_last_error = nucdet_test::get_last_error,
         .get_unique_id = nucdet_test::get_unique_id,
         .init_rank = nucdet_test::init_rank,
         .finalize = nucdet_test::finalize,
         .destroy = nucdet_test::destroy,
         .abort = nucdet_test::abort,
         .get_async_error = nucdet_test::get_async_error,
         .group_start = nucdet_test::group_start,
         .group_end = nucdet_test::group_end,
         .send = nucdet_test::send,
         .receive = nucdet_test::receive,
         .version = nucdet_test::fake_nccl().version,
         .problem = nucdet_test::fake_nccl().problem};
  return api;
}
