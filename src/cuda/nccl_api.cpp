#include "nccl_api.hpp"

#include <dlfcn.h>

#include "nucdet/core/error.hpp"

namespace nucdet::cuda {

namespace {

/// Finds one function, or appends its name to `missing`.
template <class Function>
void find(void* library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) missing += message(' ', name);
}

NcclApi without(const std::string& problem) {
  NcclApi none;
  none.problem = message("no NCCL: ", problem);
  return none;
}

}  // namespace

std::string text_of_nccl(int version) {
  return message(version / 10000, '.', version % 10000 / 100, '.', version % 100);
}

NcclApi load_nccl(const std::string& path) {
  void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) return without(dlerror());
  NcclApi api;
  std::string missing;
  find(library, "ncclGetVersion", api.get_version, missing);
  if (api.get_version == nullptr || api.get_version(&api.version) != kNcclSuccess || api.version < kNcclOldest) {
    const std::string found = missing.empty() ? "is version " + text_of_nccl(api.version) : "lacks" + missing;
    dlclose(library);
    return without(message(path, ' ', found, ", wanted at least ", text_of_nccl(kNcclOldest)));
  }
  find(library, "ncclGetErrorString", api.get_error_string, missing);
  find(library, "ncclGetLastError", api.get_last_error, missing);
  find(library, "ncclGetUniqueId", api.get_unique_id, missing);
  find(library, "ncclCommInitRankConfig", api.init_rank, missing);
  find(library, "ncclCommFinalize", api.finalize, missing);
  find(library, "ncclCommDestroy", api.destroy, missing);
  find(library, "ncclCommAbort", api.abort, missing);
  find(library, "ncclCommGetAsyncError", api.get_async_error, missing);
  find(library, "ncclGroupStart", api.group_start, missing);
  find(library, "ncclGroupEnd", api.group_end, missing);
  find(library, "ncclSend", api.send, missing);
  find(library, "ncclRecv", api.receive, missing);
  if (missing.empty()) return api;
  dlclose(library);
  return without(message(path, " lacks", missing));
}

}  // namespace nucdet::cuda
