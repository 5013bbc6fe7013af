#include <iostream>
#include <string>

#include "giant_slide.hpp"

int main(int argc, char** argv) {
  const bool tissue_alone = argc == 5 && argv[4] == std::string("tissue");
  if (argc != 2 && (argc < 4 || argc > 6)) {
    std::cerr << "usage: make_giant_slide FILE [WIDTH HEIGHT [tissue | SEED | LEFT TOP]]: writes a BigTIFF pyramid of "
                 "100000 x 80000 pixels, 70 % of it glass, or all tissue; of another seed, another tissue; or one as "
                 "Leica's, with so much that was not scanned around it\n";
    return 2;
  }
  try {
    giant::Options options;
    if (argc >= 4) options.width = std::stol(argv[2]), options.height = std::stol(argv[3]);
    options.glass = !tissue_alone;
    if (argc == 6) options.left = std::stol(argv[4]), options.top = std::stol(argv[5]);
    if (argc == 5 && !tissue_alone) options.seed = std::stoul(argv[4]);
    giant::write(argv[1], options);
  } catch (const std::exception& error) {
    std::cerr << "make_giant_slide: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
