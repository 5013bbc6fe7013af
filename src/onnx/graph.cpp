#include "graph.hpp"

#include <bit>

#include "nucdet/core/error.hpp"
#include "nucdet/version.hpp"

namespace nucdet::onnx {

namespace {

using ::onnx::AttributeProto, ::onnx::TensorProto, ::onnx::ValueInfoProto;

static_assert(std::endian::native == std::endian::little, "ONNX keeps raw numbers in this order of bytes");

void set_value(AttributeProto& to, std::int64_t value) { to.set_type(AttributeProto::INT), to.set_i(value); }
void set_value(AttributeProto& to, float value) { to.set_type(AttributeProto::FLOAT), to.set_f(value); }
void set_value(AttributeProto& to, const std::string& value) { to.set_type(AttributeProto::STRING), to.set_s(value); }
void set_value(AttributeProto& to, const std::vector<std::int64_t>& values) {
  to.set_type(AttributeProto::INTS);
  for (const std::int64_t v : values) to.add_ints(v);
}

/// [batch, channels, height, width] of floats.
void set_map(ValueInfoProto& to, const std::string& name, Index channels, const std::string& height,
             const std::string& width) {
  to.set_name(name);
  auto& type = *to.mutable_type()->mutable_tensor_type();
  type.set_elem_type(TensorProto::FLOAT);
  type.mutable_shape()->add_dim()->set_dim_param("batch");
  type.mutable_shape()->add_dim()->set_dim_value(channels);
  type.mutable_shape()->add_dim()->set_dim_param(height);
  type.mutable_shape()->add_dim()->set_dim_param(width);
}

template <class T>
void set_numbers(TensorProto& to, const std::string& name, int type, const std::vector<std::int64_t>& shape,
                 const std::vector<T>& values) {
  to.set_name(name);
  to.set_data_type(type);
  for (const std::int64_t extent : shape) to.add_dims(extent);
  to.set_raw_data(values.data(), values.size() * sizeof(T));
}

}  // namespace

ModelGraph::ModelGraph() {
  model_.set_ir_version(8);  // of ONNX 1.12, as the set of operators
  model_.set_producer_name("nucdet");
  model_.set_producer_version(NUCDET_VERSION_STRING);
  model_.mutable_graph()->set_name("nucdet");
  ::onnx::OperatorSetIdProto& set = *model_.add_opset_import();
  set.set_domain("");
  set.set_version(kOperatorSet);
}

std::string ModelGraph::input(const std::string& name, Index channels, const std::string& meaning) {
  ValueInfoProto& info = *model_.mutable_graph()->add_input();
  set_map(info, unused(name), channels, "height", "width");
  info.set_doc_string(meaning);
  return name;
}

void ModelGraph::output(const std::string& value, const std::string& name, Index channels, const std::string& height,
                        const std::string& width) {
  ::onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  node.set_op_type("Identity");
  node.set_name("output/" + name);
  node.add_input(value);
  if (unused(name) != name)
    throw ArgumentError(
        message("ONNX: the network has an output '", name, "', and another value is called so: rename it"));
  node.add_output(name);
  set_map(*model_.mutable_graph()->add_output(), name, channels, height, width);
}

void ModelGraph::metadata(const std::string& key, const std::string& value) {
  ::onnx::StringStringEntryProto& entry = *model_.add_metadata_props();
  entry.set_key(key);
  entry.set_value(value);
}

std::string ModelGraph::add(std::string_view type, std::vector<std::string> inputs,
                            std::vector<nn::Attribute> attributes) {
  ::onnx::NodeProto& node = *model_.mutable_graph()->add_node();
  const std::string name = unused(step_ + '/' + std::string(type));
  node.set_op_type(std::string(type));
  node.set_name(name);
  for (const std::string& input : inputs) node.add_input(input);
  node.add_output(name);
  for (const nn::Attribute& attribute : attributes) {
    AttributeProto& to = *node.add_attribute();
    to.set_name(attribute.name);
    std::visit([&](const auto& value) { set_value(to, value); }, attribute.value);
  }
  return name;
}

std::string ModelGraph::numbers(std::string_view role, std::vector<std::int64_t> shape, std::vector<float> values) {
  const std::string name = unused(step_ + '.' + std::string(role));
  set_numbers(*model_.mutable_graph()->add_initializer(), name, TensorProto::FLOAT, shape, values);
  return name;
}

std::string ModelGraph::integers(std::vector<std::int64_t> values) {
  std::string& name = integers_[values];
  if (!name.empty()) return name;
  std::string plain = "integers";
  for (const std::int64_t v : values) plain += message('_', v);
  name = unused(plain);
  set_numbers(*model_.mutable_graph()->add_initializer(), name, TensorProto::INT64, {std::ssize(values)}, values);
  return name;
}

std::string ModelGraph::bytes() const {
  std::string bytes;
  if (model_.ByteSizeLong() >= std::size_t{1} << 31 || !model_.SerializeToString(&bytes))
    throw Error(message("a model of ", model_.ByteSizeLong(), " bytes: a file of ONNX holds at most 2 GB"));
  return bytes;
}

std::string ModelGraph::unused(const std::string& name) {
  std::string found = name;
  for (int i = 2; !names_.insert(found).second; ++i) found = message(name, '_', i);
  return found;
}

}  // namespace nucdet::onnx
