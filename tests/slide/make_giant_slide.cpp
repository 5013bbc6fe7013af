#include <iostream>

#include "giant_slide.hpp"

int main(int argc, char** argv) {
  if (argc != 2 && argc != 4) {
    std::cerr << "usage: make_giant_slide FILE [WIDTH HEIGHT]: writes a BigTIFF pyramid of 100000 x 80000 pixels\n";
    return 2;
  }
  try {
    giant::Options options;
    if (argc == 4) options.width = std::stol(argv[2]), options.height = std::stol(argv[3]);
    giant::write(argv[1], options);
  } catch (const std::exception& error) {
    std::cerr << "make_giant_slide: " << error.what() << '\n';
    return 1;
  }
  return 0;
}
