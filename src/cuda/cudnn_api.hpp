#pragma once
#include <string>

#include <cudnn.h>

namespace nucdet::cuda {

/// The functions of cuDNN that the library calls. A table rather than a link, so that programs start without cuDNN and
/// tests can put another implementation in its place. All pointers are null when `problem` is not empty.
struct CudnnApi {
  decltype(&cudnnCreate) create = nullptr;
  decltype(&cudnnDestroy) destroy = nullptr;
  decltype(&cudnnSetStream) set_stream = nullptr;
  decltype(&cudnnGetVersion) get_version = nullptr;
  decltype(&cudnnGetErrorString) get_error_string = nullptr;
  decltype(&cudnnGetLastErrorString) get_last_error_string = nullptr;
  decltype(&cudnnBackendCreateDescriptor) backend_create = nullptr;
  decltype(&cudnnBackendDestroyDescriptor) backend_destroy = nullptr;
  decltype(&cudnnBackendSetAttribute) backend_set = nullptr;
  decltype(&cudnnBackendGetAttribute) backend_get = nullptr;
  decltype(&cudnnBackendFinalize) backend_finalize = nullptr;
  decltype(&cudnnBackendExecute) backend_execute = nullptr;
  std::string problem;  ///< why there is no cuDNN; empty when there is one
};

/// The installed cuDNN 9, loaded at the first call: the path in the environment variable NUCDET_CUDNN, else
/// libcudnn.so.9, else libcudnn.so. May be called from several threads.
const CudnnApi& cudnn_api();

}  // namespace nucdet::cuda
