#define NUCDET_ISA nucdet::cpu::avx2
#define NUCDET_ISA_LANES 8
#include "cpu/isa/table.hpp"

namespace nucdet::cpu {

static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
constinit const Isa kAvx2 = avx2::table("avx2", &has_avx2);

}  // namespace nucdet::cpu
