// The parts of nucdet that do not depend on a user's types, compiled once.
#define NUCDET_PREBUILT_CPU template
#include "nucdet/core/printable.hpp"
#include "nucdet/cpu/gemm_eigen.hpp"
#include "nucdet/io/content_hash.hpp"
#include "nucdet/io/folder_lock.hpp"
#include "nucdet/io/head.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/weights.hpp"
#include "nucdet/nucdet.hpp"

namespace nucdet::cpu {

template void gemm<false>(Index, Index, Index, const float*, Index, const float*, Index, float*, Index);
template void gemm<true>(Index, Index, Index, const float*, Index, const float*, Index, float*, Index);

}  // namespace nucdet::cpu
