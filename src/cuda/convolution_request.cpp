#include "convolution_request.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace nucdet::cuda {

namespace {

using Kind = ops::Fused::Kind;

bool has_parameter(const ops::Fused& fused) { return fused.kind == Kind::elu || fused.kind == Kind::leaky_relu; }

/// A request as numbers, those without an effect zero. Equality and hash both come from here and cannot disagree.
std::array<std::int64_t, 36> key_of(const ConvolutionRequest& r) {
  const ops::Conv2dProblem& p = r.problem;
  const MapStrides residual = r.residual ? r.residual_strides : MapStrides{};
  const auto parameter = [](const ops::Fused& f) {
    return has_parameter(f) ? std::int64_t{std::bit_cast<std::int32_t>(f.parameter)} : 0;
  };
  const auto number = [](auto value) { return static_cast<std::int64_t>(value); };
  return {number(r.pass),
          p.large.n,
          p.large.h,
          p.large.w,
          p.large.c,
          p.small.n,
          p.small.h,
          p.small.w,
          p.small.c,
          p.kernel,
          p.stride,
          p.pad,
          number(r.type),
          number(r.result),
          r.large.image,
          r.large.row,
          r.large.pixel,
          r.small.image,
          r.small.row,
          r.small.pixel,
          number(r.bias),
          number(r.residual),
          residual.image,
          residual.row,
          residual.pixel,
          number(r.first.kind),
          parameter(r.first),
          number(r.last.kind),
          parameter(r.last),
          number(r.tensor_cores),
          number(r.deterministic),
          r.alignment.large,
          r.alignment.small,
          r.alignment.weight,
          r.alignment.bias,
          r.alignment.residual};
}

std::string text_of(const ops::Fused& fused) {
  switch (fused.kind) {
    case Kind::none:
      return "";
    case Kind::elu:
      return message(" + elu(", fused.parameter, ')');
    case Kind::relu:
      return " + relu";
    case Kind::leaky_relu:
      return message(" + leaky_relu(", fused.parameter, ')');
    case Kind::sigmoid:
      return " + sigmoid";
  }
  return "";
}

const char* name_of(ConvolutionPass pass) {
  switch (pass) {
    case ConvolutionPass::forward:
      return "forward";
    case ConvolutionPass::data_gradient:
      return "data gradient";
    case ConvolutionPass::weight_gradient:
      return "weight gradient";
  }
  return "";
}

}  // namespace

Index alignment_of(const void* pointer) {
  const auto bits = static_cast<Index>(std::bit_cast<std::uintptr_t>(pointer)) | kMostAlignment;
  return bits & -bits;
}

bool operator==(const ConvolutionRequest& a, const ConvolutionRequest& b) { return key_of(a) == key_of(b); }

std::size_t RequestHash::operator()(const ConvolutionRequest& request) const {
  std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, a word at a time
  for (const std::int64_t number : key_of(request)) {
    hash = (hash ^ static_cast<std::uint64_t>(number)) * 0x100000001b3;
    hash ^= hash >> 29;
  }
  return static_cast<std::size_t>(hash);
}

std::string text_of(const ConvolutionRequest& r) {
  const ops::Conv2dProblem& p = r.problem;
  const bool up = r.pass == ConvolutionPass::data_gradient;
  std::string text = message("conv ", name_of(r.pass), ' ', up ? p.small : p.large, " to ", up ? p.large : p.small,
                             ", kernel ", p.kernel, ", stride ", p.stride, ", pad ", p.pad, ", ", name_of(r.type));
  if (r.result != r.type) text += message(" to ", name_of(r.result));
  if (r.bias) text += " + bias";
  text += text_of(r.first);
  if (r.residual) text += " + residual";
  text += text_of(r.last);
  if (!r.tensor_cores) text += ", strict";
  if (!r.deterministic) text += ", any order";
  return text;
}

UsedExtent used_extent(const ops::Conv2dProblem& p) {
  // The last row that a weight meets, plus one. It may lie beyond the map, where zeros are.
  const auto needed = [&](Index small) { return (small - 1) * p.stride + p.kernel - p.pad; };
  const Index h = needed(p.small.h), w = needed(p.small.w);
  return {std::min(h, p.large.h), std::min(w, p.large.w), std::max(h - p.large.h, Index{0}),
          std::max(w - p.large.w, Index{0})};
}

}  // namespace nucdet::cuda
