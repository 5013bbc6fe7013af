#define NUCDET_ISA nucdet::cpu::avx512
#define NUCDET_ISA_LANES 16
#include "cpu/isa/table.hpp"

namespace nucdet::cpu {

static bool has_avx512() {
  return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
         __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq");
}
constinit const Isa kAvx512 = avx512::table("avx512", &has_avx512, &kAvx2);

}  // namespace nucdet::cpu
