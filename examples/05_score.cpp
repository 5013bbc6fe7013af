/// Score detections against annotated centres: precision, recall, F1 and distance, with a matcher of choice.
///   05_score FOUND.csv TRUTH.csv [GATE]      columns x and y, pixels; gate 16
#include <iostream>

#include <nucdet/io/csv.hpp>
#include <nucdet/match/hungarian.hpp>
#include <nucdet/metrics/score.hpp>

using namespace nucdet;

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: 05_score FOUND.csv TRUTH.csv [GATE]\n";
    return 2;
  }
  //! [score]
  const match::HungarianMatcher matcher{.gate = argc > 3 ? std::stod(argv[3]) : 16.0};
  const metrics::Score score = metrics::score(matcher, io::read_points(argv[1]), io::read_points(argv[2]));
  std::cout << "precision " << score.precision() << "  recall " << score.recall() << "  F1 " << score.f1()
            << "  distance " << score.distance_mean() << " +- " << score.distance_deviation() << '\n';
  //! [score]
  return 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
