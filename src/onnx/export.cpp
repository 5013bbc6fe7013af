#include "nucdet/onnx/export.hpp"

#include "nucdet/io/head.hpp"
#include "nucdet/io/normalization.hpp"
#include "nucdet/nn/network.hpp"
#include "nucdet/nn/passes.hpp"

#include "graph.hpp"

namespace nucdet::onnx {

namespace {

/// The network's own input, made of the pixels.
std::string write_normalization(ModelGraph& graph, const data::Normalization& rule, const std::string& pixels) {
  const auto* const fixed = std::get_if<data::FixedNormalization>(&rule);
  if (fixed == nullptr)
    throw ArgumentError(message(
        "the model's normalisation is '", data::name_of(rule),
        "': it takes statistics of each image, which a graph cannot do for a tile; export the network that reads "
        "normalised values (input normalized), and normalise by what its metadata say"));
  std::vector<float> mean, factor;
  for (const float m : fixed->statistics.mean) mean.push_back(255 * m);
  for (const float d : fixed->statistics.deviation) factor.push_back(1 / (255 * d));
  const std::int64_t channels = std::ssize(mean);
  graph.begin("normalization");
  const std::string centred = graph.add("Sub", {pixels, graph.numbers("mean", {channels, 1, 1}, std::move(mean))}, {});
  return graph.add("Mul", {centred, graph.numbers("factor", {channels, 1, 1}, std::move(factor))}, {});
}

/// Every step, in the order they run; returns the name of each slot's map.
std::vector<std::string> write_steps(ModelGraph& graph, Context<Cpu>& context, const nn::Program<Cpu>& program,
                                     const nn::Plan& plan, const std::string& input) {
  std::vector<std::string> maps(plan.shapes.size());
  maps[0] = input;
  for (std::size_t k = 0; k < program.steps().size(); ++k) {
    const auto& step = program.steps()[k];
    const nn::Wire& wire = program.wires()[k];
    std::vector<nn::OperatorInput> in;
    for (const int slot : wire.inputs)
      in.push_back({maps[static_cast<std::size_t>(slot)], plan.shapes[static_cast<std::size_t>(slot)].c});
    graph.begin(step.path);
    try {
      maps[static_cast<std::size_t>(wire.output)] = step.layer->write(context, graph, in);
    } catch (const Error& error) { throw Error(message("step '", step.path, "': ", error.what())); }
  }
  return maps;
}

/// What whoever runs the file must know, beside what the weight file says.
io::Metadata metadata_of(const nn::Model<Cpu>& model, const nn::InferenceProgram<Cpu>& inference,
                         const ExportOptions& options) {
  io::Metadata metadata = options.metadata;
  for (const auto& [key, value] : io::to_metadata(options.normalization)) metadata[key] = value;
  io::write_head(model.head(), metadata);
  metadata["input"] = options.input == Input::pixels ? "pixels: RGB from 0 to 255, [N, C, H, W]"
                                                     : "normalized: (RGB / 255 - mean) / deviation, [N, C, H, W]";
  metadata["input.multiple"] = message(inference.coarsest_stride);
  metadata["input.reach"] =
      inference.reach.bounded ? message(inference.reach.before, ' ', inference.reach.after) : "the whole image";
  return metadata;
}

}  // namespace

bool available() { return true; }

Exported to_onnx(const nn::Model<Cpu>& model, const ExportOptions& options) {
  const nn::InferenceProgram<Cpu> inference = nn::for_inference(model);
  const nn::Program<Cpu>& program = inference.program;
  const Shape sample{1, 509, 387, inference.in_channels};  // odd: maps that keep such a size keep any
  const nn::Plan plan = program.plan(sample);
  ModelGraph graph;
  const io::Metadata metadata = metadata_of(model, inference, options);
  std::string image = graph.input("image", inference.in_channels, metadata.at("input"));
  if (options.input == Input::pixels) image = write_normalization(graph, options.normalization, image);
  const std::vector<std::string> maps = write_steps(graph, model.context(), program, plan, image);
  Exported result;
  for (const nn::ProgramOutput& output : program.outputs()) {
    const std::size_t slot = static_cast<std::size_t>(output.slot);
    const bool same = plan.shapes[slot].h == sample.h && plan.shapes[slot].w == sample.w;
    graph.output(maps[slot], output.name, output.channels, same ? "height" : "height of " + output.name,
                 same ? "width" : "width of " + output.name);
    result.outputs.push_back(output.name);
  }
  for (const auto& [key, value] : metadata) graph.metadata(key, value);
  result.operators = graph.operators();
  result.bytes = graph.bytes();
  return result;
}

}  // namespace nucdet::onnx
