#include "convolution_request.hpp"

#include <algorithm>
#include <array>
#include <bit>

namespace nucdet::cuda {

namespace {

/// Whether the activation's number has a say.
bool has_parameter(const ops::Fused& fused) {
  bool has = false;
  ops::with_activation(fused, [&]<class F>(const F&) { has = !std::is_empty_v<F>; });
  return has;
}

/// A request as numbers, those without an effect zero. Equality and hash both come from here and cannot disagree.
std::array<std::int64_t, 42> key_of(const ConvolutionRequest& r) {
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
          p.kernel.y,
          p.kernel.x,
          p.stride.y,
          p.stride.x,
          p.pad.y,
          p.pad.x,
          p.dilation.y,
          p.dilation.x,
          p.groups,
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
  if (fused.kind == ops::Fused::Kind::none) return "";
  return message(" + ", ops::name_of(fused.kind),
                 has_parameter(fused) ? message('(', fused.parameter, ')') : std::string());
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
                             ", kernel ", p.kernel, ", stride ", p.stride, ", pad ", p.pad);
  if (p.dilation != 1) text += message(", dilation ", p.dilation);
  if (p.groups != 1) text += message(", ", p.groups, " groups");
  text += message(", ", name_of(r.type));
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
  const auto needed = [](Index small, Index stride, Index dilation, Index kernel, Index pad) {
    return (small - 1) * stride + dilation * (kernel - 1) + 1 - pad;
  };
  const Index h = needed(p.small.h, p.stride.y, p.dilation.y, p.kernel.y, p.pad.y),
              w = needed(p.small.w, p.stride.x, p.dilation.x, p.kernel.x, p.pad.x);
  return {std::min(h, p.large.h), std::min(w, p.large.w), std::max(h - p.large.h, Index{0}),
          std::max(w - p.large.w, Index{0})};
}

}  // namespace nucdet::cuda
