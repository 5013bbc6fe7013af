// Compiled for any processor, and run before static objects of other files are made: those may use what a processor has
// not. So nothing here calls an inline function, of which the linker might keep another file's.
#include "processor.hpp"

#if defined(__x86_64__)
#include <unistd.h>

namespace nucdet::program {

namespace {

struct Message {
  char text[256];
  unsigned length;
};

void append(Message& to, const char* text) {
  for (; *text != 0 && to.length < sizeof to.text; ++text) to.text[to.length++] = *text;
}

[[gnu::constructor(101)]] void check_processor() {
  __builtin_cpu_init();
  Message missing{{}, 0};
  const auto need = [&missing](unsigned bit, int there, const char* name) {
    if ((compiled_for & bit) == 0 || there != 0) return;
    append(missing, missing.length > 0 ? ", " : "nucdet: this program was built for processors with ");
    append(missing, name);
  };
  need(kAvx, __builtin_cpu_supports("avx"), "AVX");
  need(kAvx2, __builtin_cpu_supports("avx2"), "AVX2");
  need(kFma, __builtin_cpu_supports("fma"), "FMA");
  need(kBmi, __builtin_cpu_supports("bmi"), "BMI1");
  need(kBmi2, __builtin_cpu_supports("bmi2"), "BMI2");
  need(kAvx512f, __builtin_cpu_supports("avx512f"), "AVX-512F");
  need(kAvx512bw, __builtin_cpu_supports("avx512bw"), "AVX-512BW");
  need(kAvx512dq, __builtin_cpu_supports("avx512dq"), "AVX-512DQ");
  need(kAvx512vl, __builtin_cpu_supports("avx512vl"), "AVX-512VL");
  if (missing.length == 0) return;
  append(missing, ", which this one has not: build it with -DNUCDET_TOOLS_ARCH=x86-64\n");
  if (write(STDERR_FILENO, missing.text, missing.length) < 0) _exit(1);
  _exit(1);
}

}  // namespace

}  // namespace nucdet::program
#endif
