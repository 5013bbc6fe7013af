#define NUCDET_ISA nucdet::cpu::portable
#define NUCDET_ISA_LANES 4
#include "cpu/isa/table.hpp"

namespace nucdet::cpu {

static bool always() { return true; }
constinit const Isa kPortable = portable::table("portable", &always);

}  // namespace nucdet::cpu
