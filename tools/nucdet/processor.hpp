#pragma once

/// The instructions that a compiler may use beyond an architecture's first, as bits.
namespace nucdet::program {

enum Instructions : unsigned {
  kAvx = 1,
  kAvx2 = 2,
  kFma = 4,
  kBmi = 8,
  kBmi2 = 16,
  kAvx512f = 32,
  kAvx512bw = 64,
  kAvx512dq = 128,
  kAvx512vl = 256,
};

/// Those that the program's own files were compiled for.
extern const unsigned compiled_for;

}  // namespace nucdet::program
