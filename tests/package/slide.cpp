// A project that reads slides from outside: a picture in memory as one, and a file that is none.
#include <iostream>

#include <nucdet/core/error.hpp>
#include <nucdet/slide/open.hpp>

int main() {
  nucdet::io::Picture picture{.where = "memory", .height = 2, .width = 3};
  picture.pixels = nucdet::io::Picture::Bytes(18, std::uint8_t{7});
  const nucdet::slide::Slide slide{nucdet::slide::PicturePyramid(picture)};
  if (slide.read(0, {1, 1, 2, 1}).width != 2) return 1;
  try {
    nucdet::slide::open_slide("no_slide.svs");
  } catch (const nucdet::IoError& error) {
    std::cout << error.what() << '\n';
    return nucdet::slide::is_slide("no_slide.svs") ? 1 : 0;
  }
  return 1;
}
