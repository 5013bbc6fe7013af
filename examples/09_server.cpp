/// A detector inside a host program: its threads and its bytes, one set of weights, a stop from outside.
///   09_server
#include <cstdint>
#include <iostream>
#include <thread>

#include <nucdet/nucdet.hpp>

using namespace nucdet;

/// What a request of the host program is: pixels as a camera or a decoder left them.
struct Request {
  Index height = 0, width = 0;
  std::vector<std::uint8_t> pixels;  ///< blue, green, red, side by side

  explicit Request(const Image& image)
      : height(static_cast<Index>(image.shape(0))), width(static_cast<Index>(image.shape(1))) {
    for (std::size_t i = 0; i < image.size(); i += 3)
      for (const std::size_t c : {2u, 1u, 0u}) pixels.push_back(static_cast<std::uint8_t>(image.data()[i + c] * 255));
  }
};

//! [bytes]
std::size_t count_nuclei(const detect::Detector<Cpu>& detector, const Request& request, std::stop_token stop) {
  const data::ImageView view(request.pixels.data(), request.height, request.width, 3, 0, data::ChannelOrder::bgr);
  return detector.detect(view, 1.0, {.stop = stop}).nuclei.size();
}
//! [bytes]

int main() try {
  //! [share]
  Context<Cpu> context({.seed = 1});
  const nn::Network<nn::MicroNetLite<nn::MicroNetLiteOptions{.base = 4}>, 3, Cpu> net(
      context);  // or models::load_detector
  const detect::Detector<Cpu> detector(net, {.absolute = 0.0f, .full_scale = 0});
  // Const means shareable: any number of threads may call the detector, with images of any size.
  std::vector<std::jthread> workers;
  std::stop_source shutdown;
  std::vector<std::size_t> counts(4);
  for (std::size_t i = 0; i < counts.size(); ++i)
    workers.emplace_back([&, i] {
      const Request request(
          data::synthesize({.height = 64 + 16 * static_cast<Index>(i), .width = 80, .seed = i}).image);
      counts[i] = count_nuclei(detector, request, shutdown.get_token());
    });
  workers.clear();  // waits for all
  //! [share]
  for (const std::size_t count : counts) std::cout << count << " nuclei\n";

  //! [contexts]
  // Another context, with a team of threads of its own, runs the same weights.
  Context<Cpu> other({.threads = 1});
  const detect::Detector<Cpu> second(other, detector.network(), {.absolute = 0.0f, .full_scale = 0});
  //! [contexts]
  const Request request(data::synthesize({.height = 64, .width = 80, .seed = 0}).image);
  if (count_nuclei(second, request, {}) != counts[0]) return 1;

  //! [stop]
  shutdown.request_stop();
  try {
    count_nuclei(detector, request, shutdown.get_token());
  } catch (const Stopped& stopped) { std::cout << stopped.what() << '\n'; }
  //! [stop]
  return 0;
} catch (const Error& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
