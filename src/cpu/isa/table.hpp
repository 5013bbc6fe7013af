#pragma once
/// The table of one instruction set; included by one file for each, which sets NUCDET_ISA and NUCDET_ISA_LANES.
#include "cpu/isa/depthwise.hpp"
#include "cpu/isa/direct.hpp"
#include "cpu/isa/winograd.hpp"

namespace NUCDET_ISA {

constexpr nucdet::cpu::Isa table(const char* name, bool (*available)(), const nucdet::cpu::Isa* narrower = nullptr) {
  return {name,
          kLanes,
          kPanel,
          available,
          &product,
          &product_transposed,
          &direct,
          &depthwise,
          &depthwise_gradient,
          narrower,
          {Transforms<2, 3>::table(), Transforms<4, 3>::table(), Transforms<6, 3>::table(), Transforms<2, 5>::table(),
           Transforms<4, 5>::table(), Transforms<5, 2>::table()}};
}

}  // namespace NUCDET_ISA
