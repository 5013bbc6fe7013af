#include "nucdet/data/image.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("image: a view is the image's own memory, one image, rows then pixels then channels") {
  Image image = make_image(3, 5, 2, 0.25f);
  const View<float> view = view_of(image);
  CHECK(view.shape == Shape{1, 3, 5, 2});
  CHECK(view.dense());
  CHECK(view(0, 2, 4, 1) == 0.25f);
  image(1, 3, 1) = 7;
  CHECK(view(0, 1, 3, 1) == 7);
  CHECK(view.data[(1 * 5 + 3) * 2 + 1] == 7);
  view(0, 2, 0, 0) = -1;
  CHECK(image(2, 0, 0) == -1);
  const Image& fixed = image;
  CHECK(view_of(fixed).data == image.data());
}

TEST_CASE("image: a map is an image of one channel, and nothing at all has no pixels") {
  Plane map = make_plane(4, 6, 1.5f);
  map(3, 1) = 2;
  const View<const float> view = view_of(std::as_const(map));
  CHECK(view.shape == Shape{1, 4, 6, 1});
  CHECK(view(0, 3, 1, 0) == 2);
  CHECK(view(0, 3, 2, 0) == 1.5f);
  CHECK(view_of(std::as_const(static_cast<const Plane&>(make_plane(0, 6)))).shape.count() == 0);
}
