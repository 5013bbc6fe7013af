#include <array>
#include <cmath>
#include <set>

#include "nucdet/core/rng.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("Philox gives the published numbers") {
  // Known answers of the Random123 distribution (kat_vectors, philox4x32 10): counter, key -> words.
  const auto check = [](Philox philox, std::uint64_t counter, std::array<std::uint32_t, 4> wanted) {
    const Philox::Words found = philox.block(counter);
    for (std::size_t i = 0; i < 4; ++i) CHECK(found.word[i] == wanted[i]);
  };
  check({0, 0}, 0, {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u});
  check({0xffffffffffffffffu, 0xffffffffffffffffu}, 0xffffffffffffffffu,
        {0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu});
  check({0x299f31d0a4093822u, 0x0370734413198a2eu}, 0x85a308d3243f6a88u,
        {0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u});
}

TEST_CASE("a draw depends on seed, stream and counter alone") {
  std::set<std::uint32_t> words;
  for (std::uint64_t seed = 0; seed < 4; ++seed)
    for (std::uint64_t stream = 0; stream < 4; ++stream)
      for (std::uint64_t counter = 0; counter < 4; ++counter) words.insert(Philox{seed, stream}.block(counter).word[0]);
  CHECK(words.size() == 64);
  RandomStream first{5, 6}, second{5, 6};
  for (int i = 0; i < 10; ++i) first.uniform();
  second.position = 10;  // three integers are the whole state
  CHECK(first.uniform() == second.uniform());
}

TEST_CASE("uniform, integer and normal numbers have the moments they should") {
  RandomStream random{1, 2};
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0, fourth = 0;
  int counts[7] = {}, heads = 0;
  bool in_range = true;
  for (int i = 0; i < kDraws; ++i) {
    const double u = random.uniform();
    in_range = in_range && u >= 0 && u < 1;
    sum += u, squares += u * u;
    const double z = random.normal();
    normal_sum += z, normal_squares += z * z, fourth += z * z * z * z;
    ++counts[random.below(7)];
    heads += random.chance(0.25) ? 1 : 0;
  }
  CHECK(in_range);
  CHECK(sum / kDraws == Approx(0.5).margin(0.003));
  CHECK(squares / kDraws == Approx(1.0 / 3).margin(0.003));
  CHECK(normal_sum / kDraws == Approx(0).margin(0.01));
  CHECK(normal_squares / kDraws == Approx(1).margin(0.02));
  CHECK(fourth / kDraws == Approx(3).margin(0.12));
  for (const int count : counts) CHECK(count == Approx(kDraws / 7.0).epsilon(0.03));
  CHECK(heads == Approx(0.25 * kDraws).epsilon(0.03));
  const float u = Philox{3, 4}.uniform(5);
  CHECK(u >= 0);
  CHECK(u < 1);
  CHECK(u * 0x1p24f == std::floor(u * 0x1p24f));
}
