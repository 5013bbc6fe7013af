#include "cudnn_api.hpp"

#include <cstdlib>

#include <dlfcn.h>
#include <link.h>

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

/// libcudnn.so.9 is a thin front: it loads the rest when a function is called, and ends the program if that fails. So
/// the parts that convolutions need are loaded first, from its folder or from where the system looks. Empty if all are
/// there.
std::string missing_part(void* library) {
  std::string folder;
  if (link_map* map = nullptr; dlinfo(library, RTLD_DI_LINKMAP, &map) == 0 && map != nullptr) {
    const std::string path = map->l_name;
    if (const std::size_t slash = path.find_last_of('/'); slash != std::string::npos)
      folder = path.substr(0, slash + 1);
  }
  for (const char* part : {"libcudnn_graph.so.9", "libcudnn_ops.so.9", "libcudnn_cnn.so.9", "libcudnn_heuristic.so.9",
                           "libcudnn_engines_precompiled.so.9", "libcudnn_engines_runtime_compiled.so.9"}) {
    if (dlopen((folder + part).c_str(), RTLD_LAZY | RTLD_LOCAL) != nullptr) continue;
    if (dlopen(part, RTLD_LAZY | RTLD_LOCAL) == nullptr) return dlerror();
  }
  return {};
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
  else if (const std::string part = missing_part(library); !part.empty())
    problem = message(path, " is not whole: ", part);
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
