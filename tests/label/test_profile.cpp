#include <vector>

#include "nucdet/core/config.hpp"
#include "nucdet/core/context.hpp"
#include "nucdet/label/profile.hpp"
#include "nucdet/label/render.hpp"

#include "support/catch.hpp"

using namespace nucdet;

namespace {

/// A user's own profile, as the concept's comment describes it.
struct Cone {
  float radius = 4;
  static constexpr label::Combine combine = label::Combine::sum;
  NUCDET_HD float operator()(float squared_distance) const {
    return squared_distance < radius * radius ? 1 - squared_distance / (radius * radius) : 0;
  }
  NUCDET_HD double reach() const { return static_cast<double>(radius); }
  void check() const { label::detail::check_range("Cone: radius", static_cast<double>(radius), 1, 100); }
};

struct WithoutReach {
  static constexpr label::Combine combine = label::Combine::sum;
  float operator()(float) const { return 0; }
  void check() const {}
};

}  // namespace

TEST_CASE("label: the concept takes a profile of one's own and refuses half of one") {
  STATIC_REQUIRE(label::LabelProfile<Cone>);
  STATIC_REQUIRE_FALSE(label::LabelProfile<WithoutReach>);
  Context<Cpu> context({.threads = 1});
  std::vector<float> map(9);
  const std::vector<Point> points{{2, 0}, {4, 0}};
  label::render(context, Cone{}, points, View<float>(map.data(), {1, 1, 9, 1}));
  CHECK(map == std::vector<float>{0.75f, 1.375f, 1.75f, 1.875f, 1.75f, 1.375f, 0.75f, 0.4375f, 0});
  CHECK_THROWS_AS(label::render(context, Cone{200}, points, View<float>(map.data(), {1, 1, 9, 1})), ArgumentError);
}
