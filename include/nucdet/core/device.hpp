#pragma once

namespace nucdet {

/// Device tags: a type parameter says where tensors live and ops run.
struct Cpu {};
struct Cuda {};

}  // namespace nucdet
