/// Find nuclei and tell two kinds of them apart: a network with two heads, a task for each, and the loop written out.
///   08_two_heads
#include <iostream>

#include <nucdet/nucdet.hpp>

using namespace nucdet;

//! [network]
/// Two outputs, each with a name; the head says what they mean.
struct TwoHeads : nn::Graph<nn::Node<"stem", nn::Sequential<nn::ConvUnit<8, 5>, nn::ConvUnit<8, 5>>>,
                            nn::Output<"map", nn::Conv<1, 1>, nn::From<"stem">>,
                            nn::Output<"classes", nn::Conv<2, 1>, nn::From<"stem">>> {
  using head = nn::Joint<nn::Proximity, nn::Classes<"large", "small">>;
};
//! [network]

/// Synthetic tissue, whose nuclei are called large or small by where they lie: nothing that could be learnt, but enough
/// to show how classes are given.
data::Dataset tissue(Context<Cpu>& context) {
  data::Dataset set;
  for (std::uint64_t seed : {1u, 2u}) {
    //! [sample]
    const auto made = data::synthesize({.height = 96, .width = 96, .seed = seed});
    std::vector<int> classes;  // a number a point; kUnknownClass: it counts for detection alone
    for (const Point& p : made.points) classes.push_back(p.x < 32 ? 0 : p.x < 64 ? 1 : kUnknownClass);
    set.push_back(data::make_sample(context, made.image, made.points, 1.0, "tissue", "", {}, classes));
    //! [sample]
  }
  return set;
}

int main() try {
  Context<Cpu> context({.seed = 1});
  const data::Dataset set = tissue(context);
  nn::Network<TwoHeads, 3, Cpu> net(context);

  //! [tasks]
  const std::tuple tasks(train::Task{loss::WeightedSquaredError{}, label::ProximityMap{}, "map"},
                         train::Task{loss::ClassCrossEntropy{}, label::ClassDisc{.radius = 8}, "classes", 0.5});
  train::TrainSettings settings;
  settings.rate.schedule = optim::Constant{.rate = 3e-3};
  train::Trainer trainer(net, tasks, optim::Adam{}, data::CropSampler{.crop = 64, .batch = 2}, settings);
  //! [tasks]
  //! [loop]
  // Trainer::fit validates, keeps the best and stops. Written out, a loop is this.
  for (int i = 0; i < 20; ++i) {
    const train::StepReport report = trainer.step({set});
    if (report.iteration % 10 == 0) std::cout << "iteration " << report.iteration << ": loss " << report.loss << '\n';
  }
  const train::Validation found = train::validate(net, tasks, set, {.least_nuclei = 1});
  std::cout << "F1 " << found.f1 << ", mean F1 of the classes " << found.class_f1 << '\n';
  //! [loop]

  //! [detect]
  const detect::Detector detector(net, {.absolute = static_cast<float>(found.floor)});
  for (const Nucleus& n : detector(set[0].image))
    std::cout << n.centre.x << ',' << n.centre.y << ',' << detector.classes()[static_cast<std::size_t>(n.class_id)]
              << ',' << n.class_probability << '\n';
  //! [detect]
  return 0;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
