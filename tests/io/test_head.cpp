#include "nucdet/io/head.hpp"
#include "nucdet/nn/layers.hpp"
#include "nucdet/nn/network.hpp"

#include "support/catch.hpp"

using namespace nucdet;
using Catch::Matchers::Contains;

namespace {

template <int Count>
struct Net : nn::Graph<nn::Output<"map", nn::Conv<1, 1>>, nn::Output<"classes", nn::Conv<Count, 1>>> {
  using head = nn::Joint<nn::Proximity, nn::ClassCount<Count>>;
};
struct Counts : nn::Graph<nn::Output<"map", nn::Conv<1, 1>>> {
  using head = nn::Density;
};

}  // namespace

TEST_CASE("a head and its classes go to metadata and come back") {
  Context<Cpu> context({.threads = 1});
  nn::Network<Net<3>, 3, Cpu> from(context), to(context);
  from.name_classes({"lymphocyte", "tumour, or epithelial", "stroma"});
  io::Metadata metadata{{"head.class.7", "left over"}, {"network", "own"}};
  io::write_head(from.head(), metadata);
  CHECK(metadata.size() == 5);
  io::take_head(metadata, to, "here");
  CHECK(to.head() == from.head());
  io::take_head({{"network", "of 0.1"}}, to, "here");
  CHECK(to.head() == from.head());

  nn::Network<Net<2>, 3, Cpu> two(context);
  CHECK_THROWS_WITH(io::take_head(metadata, two, "here"), Contains("3 classes") && Contains("has 2"));
  nn::Network<Counts, 3, Cpu> counts(context);
  CHECK_THROWS_WITH(io::take_head(metadata, counts, "here"), Contains("'proximity'") && Contains("wanted density"));
}
