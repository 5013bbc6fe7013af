#include "nccl_communicator.hpp"

#include <exception>
#include <utility>

#include "nucdet/core/patience.hpp"

namespace nucdet::cuda {

namespace {

bool good(NcclResult result) { return result == kNcclSuccess || result == kNcclInProgress; }

/// What the first rank tells the others.
struct Invitation {
  NcclResult made;
  NcclUniqueId id;
};

}  // namespace

NcclCommunicator::NcclCommunicator(const NcclApi& api, Ranks& ranks) : api_(api), ranks_(ranks) {
  Invitation mine{};
  if (ranks.rank() == 0) mine.made = api_.get_unique_id(&mine.id);
  const Invitation first = gathered(ranks, mine)[0];
  check(first.made, "unique id");
  NcclConfig config;
  check(api_.init_rank(&comm_, static_cast<int>(ranks.count()), first.id, static_cast<int>(ranks.rank()), &config),
        "start");
  wait("start", [] { return true; });
}

/// What was exchanged has been waited for; the others' ends may still be closing.
NcclCommunicator::~NcclCommunicator() {
  if (comm_ == nullptr) return;
  if (std::uncaught_exceptions() == 0 && finalized())
    api_.destroy(comm_);
  else  // after an error the others may never come
    api_.abort(comm_);
}

bool NcclCommunicator::finalized() noexcept {
  NcclResult state = api_.finalize(comm_);
  for (Patience patience(ranks_.patience()); state == kNcclInProgress && patience.lasts();)
    if (api_.get_async_error(comm_, &state) != kNcclSuccess) return false;
  return state == kNcclSuccess;
}

void NcclCommunicator::exchange(const char* what, std::span<const NcclPiece> out, std::span<const NcclPiece> in,
                                cudaStream_t stream) {
  if (comm_ == nullptr) lose(message(what, ": it ended with an earlier error"));
  if (out.empty() && in.empty()) return;
  check(api_.group_start(), what);
  NcclResult asked = kNcclSuccess;
  for (const NcclPiece& p : out)
    if (good(asked)) asked = api_.send(p.numbers, p.count, kNcclFloat32, p.rank, comm_, stream);
  for (const NcclPiece& p : in)
    if (good(asked)) asked = api_.receive(p.numbers, p.count, kNcclFloat32, p.rank, comm_, stream);
  const NcclResult ended = api_.group_end();  // a group that was begun has to be ended
  check(asked, what), check(ended, what);
  wait(what, [] { return true; });
}

void NcclCommunicator::wait(const char* what, const std::function<bool()>& done) {
  for (Patience patience(ranks_.patience());;) {
    NcclResult state = kNcclSuccess;
    check(api_.get_async_error(comm_, &state), what);
    check(state, what);
    if (state != kNcclInProgress && done()) return;
    if (!patience.lasts())
      lose(message(what, ": waited ", patience.seconds(),
                   " s for the others, who had come to it: one of them hangs or has ended"));
  }
}

void NcclCommunicator::check(NcclResult result, const char* what) {
  if (good(result)) return;
  std::string why = message(what, ": ", api_.get_error_string(result));
  if (const char* const more = api_.get_last_error(comm_); more != nullptr && *more != '\0') why += message(": ", more);
  lose(why);
}

void NcclCommunicator::lose(const std::string& why) {
  if (comm_ != nullptr) api_.abort(std::exchange(comm_, nullptr));
  throw RanksError(message("NCCL, rank ", ranks_.rank(), ": ", why));
}

}  // namespace nucdet::cuda
