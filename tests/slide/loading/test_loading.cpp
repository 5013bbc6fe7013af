#include "slide/slides.hpp"
#include "support/catch.hpp"

using namespace slides;
using namespace pictures;

// Before all others of its program, since the library that is opened first stays.
TEST_CASE("OpenSlide is opened when it is wanted, and what is none is refused") {
  CHECK(holds(error_of<IoError>([] { slide::use_openslide("/no/such/library.so"); }), "cannot be opened as a library"));
  CHECK(holds(error_of<IoError>([] { slide::use_openslide("libm.so.6"); }), "it has no openslide_get_version"));
  CHECK_FALSE(slide::openslide_version().empty());
  CHECK_FALSE(slide::use_openslide("/no/such/library.so"));
}
