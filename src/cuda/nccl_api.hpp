#pragma once
#include <cstddef>
#include <string>

#include <cuda_runtime_api.h>

struct ncclComm;  // opaque, NCCL's own

namespace nucdet::cuda {

// The part of NCCL's interface that the library calls, as nccl.h of NCCL 2.14 declares it; NCCL keeps it: later
// versions take a shorter NcclConfig by its size and version. Declared here, so that no header of NCCL's is needed to
// build.

using NcclComm = ncclComm*;

struct NcclUniqueId {
  char internal[128];
};

enum NcclResult : int {
  kNcclSuccess = 0,
  kNcclSystemError = 2,
  kNcclInvalidArgument = 4,
  kNcclInvalidUsage = 5,
  kNcclRemoteError = 6,
  kNcclInProgress = 7
};

inline constexpr int kNcclFloat32 = 7;
inline constexpr int kNcclOldest = 21400;  ///< the first version whose calls need not block

/// ncclConfig_t of 2.14: what is asked for may be under way when a call returns, and is then polled for.
struct NcclConfig {
  std::size_t size = sizeof(NcclConfig);
  unsigned magic = 0xcafebeef, version = kNcclOldest;
  int blocking = 0, unused = 0;
};

/// The functions of NCCL that the library calls. A table rather than a link, so that programs start without NCCL and
/// tests can put another implementation in its place. All pointers are null when `problem` is not empty.
struct NcclApi {
  NcclResult (*get_version)(int*) = nullptr;
  const char* (*get_error_string)(NcclResult) = nullptr;
  const char* (*get_last_error)(NcclComm) = nullptr;
  NcclResult (*get_unique_id)(NcclUniqueId*) = nullptr;
  NcclResult (*init_rank)(NcclComm*, int count, NcclUniqueId, int rank, NcclConfig*) = nullptr;
  NcclResult (*finalize)(NcclComm) = nullptr;
  NcclResult (*destroy)(NcclComm) = nullptr;
  NcclResult (*abort)(NcclComm) = nullptr;
  NcclResult (*get_async_error)(NcclComm, NcclResult*) = nullptr;
  NcclResult (*group_start)() = nullptr;
  NcclResult (*group_end)() = nullptr;
  NcclResult (*send)(const void*, std::size_t count, int type, int peer, NcclComm, cudaStream_t) = nullptr;
  NcclResult (*receive)(void*, std::size_t count, int type, int peer, NcclComm, cudaStream_t) = nullptr;
  int version = 0;      ///< 22105 is 2.21.5
  std::string problem;  ///< why there is no NCCL; empty when there is one
};

/// "2.21.5" of 22105.
std::string text_of_nccl(int version);

/// The library of this name or path.
NcclApi load_nccl(const std::string& path);

/// The installed NCCL, loaded at the first call: what the environment variable NUCDET_NCCL names, else libnccl.so.2.
/// May be called from several threads.
const NcclApi& nccl_api();

}  // namespace nucdet::cuda
