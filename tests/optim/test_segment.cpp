#include <utility>
#include <vector>

#include "nucdet/optim/segment.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using optim::Segment;
namespace parts = optim::detail;

TEST_CASE("optim: segments must lie in order, apart and inside") {
  const auto check = [](std::vector<Segment> s) { return parts::checked("test", s, 10).size(); };
  CHECK(check({{0, 4}, {4, 0}, {6, 4}}) == 3);
  CHECK(check({}) == 1);
  CHECK_THROWS_AS(check({{0, 4}, {3, 2}}), ShapeError);
  CHECK_THROWS_AS(check({{0, 11}}), ShapeError);
  CHECK_THROWS_AS(check({{11, 0}}), ShapeError);
  CHECK_THROWS_AS(check({{-1, 3}}), ShapeError);
  CHECK_THROWS_AS(check({{2, -1}}), ShapeError);
  CHECK_THROWS_AS(check({{2, INT64_MAX}}), ShapeError);
}

TEST_CASE("optim: the parts of a block are those of its segments that are not frozen") {
  const std::vector<Segment> segments{{0, 3}, {3, 0}, {3, 4, true, true}, {8, 5}};
  const auto parts = [&](Index from, Index to) {
    std::vector<std::pair<Index, Index>> found;
    parts::for_each_part(segments.data(), 4, from, to,
                         [&](const Segment&, Index a, Index b) { found.emplace_back(a, b); });
    return found;
  };
  using Parts = std::vector<std::pair<Index, Index>>;
  CHECK(parts(0, 20) == Parts{{0, 3}, {8, 13}});
  CHECK(parts(1, 9) == Parts{{1, 3}, {8, 9}});
  CHECK(parts(3, 8).empty());
  CHECK(parts(12, 20) == Parts{{12, 13}});
  CHECK(parts(13, 20).empty());
}
