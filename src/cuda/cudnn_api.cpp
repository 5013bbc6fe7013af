#include "cudnn_api.hpp"

#include <cstdlib>

#include <dlfcn.h>

#include "nucdet/core/error.hpp"

namespace nucdet::cuda {

namespace {

constexpr std::size_t kOldestVersion = 90000;

/// Finds one function, or appends its name to `missing`.
template <class Function>
void find(void* library, const char* name, Function& function, std::string& missing) {
  function = reinterpret_cast<Function>(dlsym(library, name));
  if (function == nullptr) missing += message(' ', name);
}

CudnnApi functions_of(void* library, const std::string& path) {
  CudnnApi api;
  std::string missing;
  find(library, "cudnnCreate", api.create, missing);
  find(library, "cudnnDestroy", api.destroy, missing);
  find(library, "cudnnSetStream", api.set_stream, missing);
  find(library, "cudnnGetVersion", api.get_version, missing);
  find(library, "cudnnGetErrorString", api.get_error_string, missing);
  find(library, "cudnnGetLastErrorString", api.get_last_error_string, missing);
  find(library, "cudnnBackendCreateDescriptor", api.backend_create, missing);
  find(library, "cudnnBackendDestroyDescriptor", api.backend_destroy, missing);
  find(library, "cudnnBackendSetAttribute", api.backend_set, missing);
  find(library, "cudnnBackendGetAttribute", api.backend_get, missing);
  find(library, "cudnnBackendFinalize", api.backend_finalize, missing);
  find(library, "cudnnBackendExecute", api.backend_execute, missing);
  std::string problem;
  if (!missing.empty())
    problem = message(path, " lacks", missing);
  else if (api.get_version() < kOldestVersion)
    problem = message(path, " is version ", api.get_version(), ", wanted at least ", kOldestVersion);
  if (problem.empty()) return api;
  CudnnApi none;
  none.problem = problem;
  return none;
}

CudnnApi load() {
  std::string problems;
  const char* chosen = std::getenv("NUCDET_CUDNN");
  for (const char* path : {chosen, "libcudnn.so.9", "libcudnn.so"}) {
    if (path == nullptr || *path == '\0') continue;
    std::string problem;
    if (void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL)) {
      CudnnApi api = functions_of(library, path);
      if (api.problem.empty()) return api;
      problem = api.problem;
      dlclose(library);
    } else {
      problem = dlerror();
    }
    problems += (problems.empty() ? "" : "; ") + problem;
  }
  CudnnApi none;
  none.problem = message("cuDNN 9 could not be loaded: ", problems);
  return none;
}

}  // namespace

const CudnnApi& cudnn_api() {
  static const CudnnApi api = load();
  return api;
}

}  // namespace nucdet::cuda
