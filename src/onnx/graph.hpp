#pragma once
#include <map>
#include <set>

#include <onnx/onnx_pb.h>

#include "nucdet/nn/operators.hpp"

namespace nucdet::onnx {

/// A graph that becomes an ONNX model. Values are called by the step that makes them and the operator:
/// "down1.conv1/Conv".
class ModelGraph final : public nn::OperatorGraph {
 public:
  ModelGraph();

  /// What follows belongs to this step.
  void begin(std::string step) { step_ = std::move(step); }
  /// A map that comes from outside, [batch, channels, height, width]; returns its name.
  std::string input(const std::string& name, Index channels, const std::string& meaning);
  /// Lets a value leave under a name. sizes: what its height and width are called. Throws ArgumentError where another
  /// value has the name.
  void output(const std::string& value, const std::string& name, Index channels, const std::string& height,
              const std::string& width);
  void metadata(const std::string& key, const std::string& value);

  std::string add(std::string_view type, std::vector<std::string> inputs,
                  std::vector<nn::Attribute> attributes) override;
  std::string numbers(std::string_view role, std::vector<std::int64_t> shape, std::vector<float> values) override;
  std::string integers(std::vector<std::int64_t> values) override;

  int operators() const { return model_.graph().node_size(); }
  /// The file. Throws Error beyond 2 GB, which is the format's limit.
  std::string bytes() const;

 private:
  std::string unused(const std::string& name);

  ::onnx::ModelProto model_;
  std::string step_;
  std::set<std::string> names_;
  std::map<std::vector<std::int64_t>, std::string> integers_;
};

}  // namespace nucdet::onnx
