#include <exception>
#include <functional>
#include <map>

#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include "nucdet/models/training.hpp"

#include "bindings.hpp"
#include "progress.hpp"
#include "text.hpp"

namespace nucdet::python {

namespace {

using models::NetworkChoice, models::TrainingConfiguration;
using Setter = std::function<void(TrainingConfiguration&, const py::handle&)>;

template <class T>
Setter field(T TrainingConfiguration::*member) {
  return [member](TrainingConfiguration& c, const py::handle& value) { c.*member = value.cast<T>(); };
}
template <class T>
Setter network(T NetworkChoice::*member) {
  return [member](TrainingConfiguration& c, const py::handle& value) { c.network.*member = value.cast<T>(); };
}

template <class T>
Setter geometry(T data::Geometry::*member) {
  return [member](TrainingConfiguration& c, const py::handle& value) { c.augment.geometry.*member = value.cast<T>(); };
}
template <class Step, class T>
Setter step(T Step::*member) {
  return
      [member](TrainingConfiguration& c, const py::handle& value) { c.augment.step<Step>().*member = value.cast<T>(); };
}

/// How crops are varied.
std::map<std::string, Setter> augmentation_setters() {
  using namespace data;
  return {
      {"rotation", geometry(&Geometry::rotation)},
      {"mirror", geometry(&Geometry::mirror)},
      {"elastic", geometry(&Geometry::elastic)},
      {"scale_jitter", geometry(&Geometry::scale)},
      {"stain", step(&Stain::most)},
      {"tone", step(&Tone::most)},
      {"blur", step(&Blur::most)},
      {"sharpen", step(&Sharpen::most)},
      {"noise", step(&Noise::most)},
      {"resolution", step(&Resolution::most)},
      {"jpeg", step(&Jpeg::worst)},
      {"glass", step(&Glass::chance)},
      {"margins", step(&Margin::chance)},
      {"pen", step(&Pen::chance)},
      {"dust", step(&Dust::chance)},
  };
}

/// What a caller may set, by name; the preset comes first.
const std::map<std::string, Setter>& setters() {
  using C = TrainingConfiguration;
  static const std::map<std::string, Setter> all = [] {
    std::map<std::string, Setter> made{
        {"manifests", field(&C::manifests)},
        {"set_weights", field(&C::weights)},
        {"out", field(&C::out)},
        {"train_split", field(&C::train_split)},
        {"validation_split", field(&C::validation_split)},
        {"auxiliary", field(&C::auxiliary)},
        {"gamma", field(&C::gamma)},
        {"network", network(&NetworkChoice::name)},
        {"base", network(&NetworkChoice::base)},
        {"context", network(&NetworkChoice::context)},
        {"norm", network(&NetworkChoice::norm)},
        {"maps", network(&NetworkChoice::maps)},
        {"weights", field(&C::initial)},
        {"freeze", field(&C::freeze)},
        {"normalization", field(&C::normalization)},
        {"loss", field(&C::loss)},
        {"label", field(&C::label)},
        {"alpha", field(&C::alpha)},
        {"lambda_", field(&C::lambda)},
        {"least_mean", field(&C::least_mean)},
        {"radius", field(&C::radius)},
        {"optimizer", field(&C::optimizer)},
        {"schedule", field(&C::schedule)},
        {"iterations", field(&C::iterations)},
        {"validate_every", field(&C::validate_every)},
        {"patience", field(&C::patience)},
        {"stop_after", field(&C::stop_after)},
        {"warmup", field(&C::warmup)},
        {"snapshot_every", field(&C::snapshot_every)},
        {"rate", field(&C::rate)},
        {"momentum", field(&C::momentum)},
        {"decay", field(&C::decay)},
        {"clip", field(&C::clip)},
        {"average", field(&C::average)},
        {"batch", field(&C::batch)},
        {"crop", field(&C::crop)},
        {"balanced", field(&C::balanced)},
        {"classes", field(&C::classes)},
        {"best", field(&C::best)},
        {"relative", field(&C::relative)},
        {"least_nuclei", field(&C::least_nuclei)},
        {"seed", field(&C::seed)},
        {"resume", field(&C::resume)},
        {"licence", field(&C::licence)},
    };
    made.merge(augmentation_setters());
    return made;
  }();
  return all;
}

TrainingConfiguration configuration_of(const std::string& preset, const py::dict& settings) {
  TrainingConfiguration configuration;
  models::apply_preset(configuration, preset);
  for (const auto& [key, value] : settings) {
    const std::string name = py::str(key);
    const auto set = setters().find(name);
    if (set == setters().end()) throw py::type_error("train: there is no setting '" + name + "'");
    try {
      set->second(configuration, value);
    } catch (const py::cast_error&) {
      throw py::type_error("train: " + name + " may not be " + std::string(py::repr(value)));
    }
  }
  return configuration;
}

py::dict dict_of(const train::StepReport& r) {
  py::dict all;
  all["iteration"] = r.iteration, all["loss"] = r.loss, all["rate"] = r.rate;
  all["gradient_norm"] = r.gradient_norm, all["seconds"] = r.seconds, all["images"] = r.images;
  return all;
}

py::dict dict_of(const train::Validation& v, double full_response) {
  py::dict all;
  all["iteration"] = v.iteration, all["loss"] = v.loss, all["f1"] = v.f1, all["best"] = v.best;
  all["threshold"] = v.floor / full_response, all["xi"] = v.xi;
  py::list sets;
  for (const auto& [name, f1] : v.sets) sets.append(py::make_tuple(text_of(name), f1));
  all["sets"] = sets;
  all["class_f1"] = v.class_f1 < 0 ? py::none().cast<py::object>() : py::float_(v.class_f1);
  return all;
}

/// What Python raises while a network trains ends the training in order, its checkpoint written, and is raised then.
class Listener {
 public:
  template <class Call>
  void hear(const Call& call) {
    if (failure_) return;
    const py::gil_scoped_acquire locked;
    try {
      if (PyErr_CheckSignals() != 0) throw py::error_already_set();
      call();
    } catch (...) {
      failure_ = std::current_exception();
      stop_.request_stop();
    }
  }
  std::stop_token token() const { return stop_.get_token(); }
  const std::exception_ptr& failure() const { return failure_; }

 private:
  std::exception_ptr failure_{};
  std::stop_source stop_{};
};

py::dict train(const std::string& preset, const py::dict& settings, int threads, const py::object& on_step,
               const py::object& on_validation, const py::object& on_note) {
  const TrainingConfiguration configuration = configuration_of(preset, settings);
  models::check(configuration);
  const double full_response = models::full_response_of(configuration);
  Listener listener;
  models::TrainingWatch watch{.stop = listener.token()};
  watch.on_image = [&] { listener.hear([] {}); };
  watch.on_step = [&](const train::StepReport& r) {
    listener.hear([&] {
      if (!on_step.is_none()) on_step(dict_of(r));
    });
  };
  watch.on_validation = [&](const train::Validation& v) {
    listener.hear([&] {
      if (!on_validation.is_none()) on_validation(dict_of(v, full_response));
    });
  };
  watch.on_note = [&](const std::string& note) {
    listener.hear([&] {
      if (!on_note.is_none()) on_note(text_of(note));
    });
  };
  train::Validation best;
  try {
    const py::gil_scoped_release unlocked;
    Context<Cpu> context({.threads = threads, .seed = configuration.seed});
    best = models::train_network(context, configuration, watch);
  } catch (const Stopped&) {
    if (!listener.failure()) throw;
  }
  if (listener.failure()) std::rethrow_exception(listener.failure());
  return dict_of(best, full_response);
}

}  // namespace

void bind_training(py::module_& module) {
  module.def("train", &train);
  module.def("training_settings", [] {
    std::vector<std::string> names;
    for (const auto& [name, set] : setters()) names.push_back(name);
    return names;
  });
  module.def("network_names", &models::network_names);
}

}  // namespace nucdet::python
