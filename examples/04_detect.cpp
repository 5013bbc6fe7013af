/// Detect nuclei in an image with saved weights and print them as CSV.
///   04_detect WEIGHTS IMAGE [OVERLAY.png]      weights as written by 01_train
#include <iostream>

#include <nucdet/io/image.hpp>
#include <nucdet/io/normalization.hpp>
#include <nucdet/io/overlay.hpp>
#include <nucdet/io/peaks.hpp>
#include <nucdet/io/weights.hpp>
#include <nucdet/nucdet.hpp>

using namespace nucdet;

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: 04_detect WEIGHTS IMAGE [OVERLAY.png]\n";
    return 2;
  }
  //! [detect]
  Context<Cpu> context;
  nn::Network<nn::MicroNet<nn::MicroNetOptions{.base = 4}>, 3, Cpu> net(context);
  const auto metadata = io::load_weights(argv[1], net);
  const detect::Detector detector(net, io::peaks_from(metadata, argv[1]), io::normalization_from(metadata, argv[1]));

  const Image image = io::read_image(argv[2]);
  const std::vector<Nucleus> nuclei = detector(image);
  //! [detect]
  std::cout << "x,y,score\n";
  for (const Nucleus& n : nuclei) std::cout << n.centre.x << ',' << n.centre.y << ',' << n.score << '\n';
  if (argc > 3) {
    std::vector<io::OverlayMark> marks;
    for (const Nucleus& n : nuclei) marks.push_back({.at = n.centre});
    io::write_png(argv[3], io::draw_overlay(image, marks));
  }
  return nuclei.empty() ? 1 : 0;
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
