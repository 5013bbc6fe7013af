#pragma once
#include "nucdet/nn/model.hpp"

namespace nucdet::nn {

/// A network: a spec that was checked when this type was named, its parameters drawn from the context's seed.
template <Spec S, int InChannels, class Device>
class Network : public Model<Device> {
  static constexpr Diagnosis kFound = diagnosis_of<S, InChannels>;
  [[no_unique_address]] CheckNode<kFound.problem, node_of<kFound>, name_of_diagnosis<kFound>, kFound.expected,
                                  kFound.got>
      check_;

 public:
  using spec = S;

  /// Start::zeros: for weights that will be loaded.
  explicit Network(Context<Device>& context, DType type = DType::f32, Start start = Start::drawn)
      : Model<Device>(context, InChannels, type) {
    this->template build<S>(start);
  }
};

}  // namespace nucdet::nn

#if defined(NUCDET_PREBUILT) || defined(NUCDET_WITH_CUDA)
#include "nucdet/nn/prebuilt.hpp"
#endif
