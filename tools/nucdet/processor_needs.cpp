// Compiled like the rest of the program. Data, no code: it is read before it is known what may run.
#include "processor.hpp"

namespace nucdet::program {

const unsigned compiled_for = 0u
#ifdef __AVX__
                              | kAvx
#endif
#ifdef __AVX2__
                              | kAvx2
#endif
#ifdef __FMA__
                              | kFma
#endif
#ifdef __BMI__
                              | kBmi
#endif
#ifdef __BMI2__
                              | kBmi2
#endif
#ifdef __AVX512F__
                              | kAvx512f
#endif
#ifdef __AVX512BW__
                              | kAvx512bw
#endif
#ifdef __AVX512DQ__
                              | kAvx512dq
#endif
#ifdef __AVX512VL__
                              | kAvx512vl
#endif
    ;

}  // namespace nucdet::program
