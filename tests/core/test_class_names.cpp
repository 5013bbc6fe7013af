#include "nucdet/core/annotated_points.hpp"

#include "support/catch.hpp"

using namespace nucdet;

TEST_CASE("class names: a class is its place in the list") {
  ClassNames names({"lymphocyte", "tumour"});
  CHECK(names.size() == 2);
  CHECK(names.find("tumour") == 1);
  CHECK(names.find("Tumour") == kUnknownClass);
  CHECK(names.find("") == kUnknownClass);
  CHECK(names.add("stroma") == 2);
  CHECK(names.add("tumour") == 1);
  CHECK(names[2] == "stroma");
  CHECK(names.find_all({"stroma", "", "fat", "lymphocyte"}) == std::vector<int>{2, -1, -1, 0});
  CHECK(names.find_all({}).empty());
  CHECK_THROWS_AS(names[3], ArgumentError);
  CHECK_THROWS_AS(names[kUnknownClass], ArgumentError);
  CHECK_THROWS_AS(names.add(""), ArgumentError);
  CHECK_THROWS_WITH(ClassNames({"a", "b", "a"}), Catch::Matchers::Contains("'a' is there twice"));
  ClassNames full;
  for (int k = 0; k < kMostClasses; ++k) full.add("class " + std::to_string(k));
  CHECK_THROWS_WITH(full.add("one more"), Catch::Matchers::Contains("at most 16"));
}

TEST_CASE("annotated points: without classes every class is unknown") {
  const AnnotatedPoints plain{{{1, 2}}, {}}, known{{{1, 2}}, {3}};
  CHECK(plain.class_of(0) == kUnknownClass);
  CHECK(known.class_of(0) == 3);
  CHECK(plain != known);
}
