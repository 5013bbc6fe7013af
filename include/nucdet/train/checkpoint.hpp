#pragma once
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "nucdet/io/weights.hpp"
#include "nucdet/train/state.hpp"

/// Everything that training needs to go on as if it had never stopped: weights, running statistics, the optimiser's
/// numbers, the schedule and the best validation so far, with the configuration as metadata. One safetensors file.
namespace nucdet::train {

namespace detail {

constexpr const char* kWeights = "weight/";

inline io::SafeTensor state_tensor(const TrainState& s) {
  const std::vector<double> numbers{s.plateau.rate, s.plateau.best, s.best.loss,  s.best.f1,
                                    s.best.xi,      s.best.floor,   s.best.worst, s.best.class_f1};
  return io::make_safe_tensor<double>("state/numbers", {static_cast<Index>(numbers.size())}, numbers);
}
inline io::SafeTensor counter_tensor(const TrainState& s) {
  const std::vector<std::int64_t> counters{s.iteration, s.plateau.best_iteration, s.plateau.since, s.best.iteration};
  return io::make_safe_tensor<std::int64_t>("state/counters", {static_cast<Index>(counters.size())}, counters);
}
/// Apart, since checkpoints of version 0.1 have none: they were written when what was due had been validated.
constexpr const char* kValidated = "state/validated";
inline io::SafeTensor validated_tensor(const TrainState& s) {
  return io::make_safe_tensor<std::int64_t>(kValidated, {1}, std::vector<std::int64_t>{s.validated});
}

inline const io::SafeTensor& wanted(const io::SafeTensorFile& file, const std::string& name, const std::string& dtype,
                                    Index count, const std::string& where) {
  const io::SafeTensor* tensor = file.find(name);
  if (tensor == nullptr) throw IoError(message(where, ": no '", name, "' in it: not a checkpoint of this program"));
  if (tensor->dtype != dtype || tensor->shape != std::vector<Index>{count})
    throw IoError(message(where, ": '", name, "' is ", tensor->dtype, ' ', io::detail::shape_text(tensor->shape),
                          ", wanted ", dtype, ' ', count));
  return *tensor;
}

}  // namespace detail

/// Writes a trainer's whole state, with free metadata.
template <class Trainer>
void save_checkpoint(const std::filesystem::path& path, const Trainer& trainer,
                     std::map<std::string, std::string> metadata) {
  const std::vector<float> optimizer = trainer.optimizer_state();
  const TrainState& state = trainer.state();
  io::SafeTensorFile file{std::move(metadata), {}};
  io::append_weights(trainer.model(), file, detail::kWeights);
  file.tensors.push_back(io::make_safe_tensor<float>("optimizer", {static_cast<Index>(optimizer.size())}, optimizer));
  if (const std::vector<float> average = trainer.average(); !average.empty())
    file.tensors.push_back(io::make_safe_tensor<float>("average", {static_cast<Index>(average.size())}, average));
  file.tensors.push_back(detail::state_tensor(state));
  file.tensors.push_back(detail::counter_tensor(state));
  file.tensors.push_back(detail::validated_tensor(state));
  io::write_safetensors(path, file);
}

/// Reads what restore_checkpoint wants, and nothing else. What the header claims is compared with the trainer before
/// any of it is in memory. Throws IoError.
template <class Trainer>
io::SafeTensorFile read_checkpoint(io::SafeTensorReader& reader, const Trainer& trainer) {
  const auto check = [&](const char* name, const char* dtype, std::size_t count) {
    detail::wanted(reader.header(), name, dtype, static_cast<Index>(count), reader.where());
  };
  check("optimizer", "F32", trainer.optimizer_state().size());
  check("state/numbers", "F64", 8), check("state/counters", "I64", 4);
  if (reader.header().find(detail::kValidated) != nullptr) check(detail::kValidated, "I64", 1);
  const std::size_t average = trainer.average().size();
  if (average > 0) check("average", "F32", average);
  io::check_weights(reader.header(), trainer.model(), reader.where(), detail::kWeights);
  return reader.read([&](const io::SafeTensor& tensor) {
    const bool weight = tensor.name.starts_with(detail::kWeights) && !io::detail::ignorable(tensor.name);
    return weight || tensor.name == "optimizer" || tensor.name == "state/numbers" || tensor.name == "state/counters" ||
           tensor.name == detail::kValidated || (average > 0 && tensor.name == "average");
  });
}

/// Restores all of it, or throws IoError and changes nothing.
template <class Trainer>
void restore_checkpoint(const io::SafeTensorFile& file, const std::string& where, Trainer& trainer) {
  std::vector<float> optimizer = trainer.optimizer_state();
  const auto& kept = detail::wanted(file, "optimizer", "F32", static_cast<Index>(optimizer.size()), where);
  const auto numbers = io::to_doubles(detail::wanted(file, "state/numbers", "F64", 8, where));
  const auto& counters = detail::wanted(file, "state/counters", "I64", 4, where);
  std::int64_t c[4];
  std::memcpy(c, counters.data.data(), sizeof c);
  std::int64_t validated = c[0];
  if (file.find(detail::kValidated) != nullptr)
    std::memcpy(&validated, detail::wanted(file, detail::kValidated, "I64", 1, where).data.data(), sizeof validated);
  std::vector<float> average = trainer.average();
  if (!average.empty()) {
    const auto& moved = detail::wanted(file, "average", "F32", static_cast<Index>(average.size()), where);
    std::memcpy(average.data(), moved.data.data(), moved.data.size());
  }
  io::SafeTensorFile weights;
  for (const auto& tensor : file.tensors)
    if (tensor.name.starts_with(detail::kWeights)) weights.tensors.push_back(tensor);
  io::apply_weights(weights, trainer.model(), where, detail::kWeights);
  std::memcpy(optimizer.data(), kept.data.data(), kept.data.size());
  trainer.set_optimizer_state(optimizer);
  trainer.set_average(average);
  trainer.set_state({.iteration = c[0],
                     .validated = validated,
                     .plateau = {.rate = numbers[0], .best = numbers[1], .best_iteration = c[1], .since = c[2]},
                     .best = {.iteration = c[3],
                              .loss = numbers[2],
                              .f1 = numbers[3],
                              .worst = numbers[6],
                              .xi = numbers[4],
                              .floor = numbers[5],
                              .class_f1 = numbers[7]}});
}

}  // namespace nucdet::train
