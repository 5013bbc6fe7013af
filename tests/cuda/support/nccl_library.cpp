// A libnccl.so to be loaded: functions that only answer. NCCL_FOUND: its version; NCCL_PARTIAL: it cannot receive.
extern "C" {

int ncclGetVersion(int* version) { return *version = NCCL_FOUND, 0; }
const char* ncclGetErrorString(int) { return "an error"; }
const char* ncclGetLastError(void*) { return ""; }

#define NCCL_ANSWERS(name) \
  int name() { return 5; }
NCCL_ANSWERS(ncclGetUniqueId)
NCCL_ANSWERS(ncclCommInitRankConfig)
NCCL_ANSWERS(ncclCommFinalize)
NCCL_ANSWERS(ncclCommDestroy)
NCCL_ANSWERS(ncclCommAbort)
NCCL_ANSWERS(ncclCommGetAsyncError)
NCCL_ANSWERS(ncclGroupStart)
NCCL_ANSWERS(ncclGroupEnd)
NCCL_ANSWERS(ncclSend)
#ifndef NCCL_PARTIAL
NCCL_ANSWERS(ncclRecv)
#endif

}  // extern "C"
