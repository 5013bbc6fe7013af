#include "nucdet/core/error.hpp"
#include "nucdet/io/class_report.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

TEST_CASE("scores by class and the confusion matrix as CSV") {
  const TemporaryFolder folder;
  ClassReport report{ClassNames({"a, b", "c"}), metrics::ClassScore(2)};
  // Three pairs: a as a, a as c, unknown as c; a false alarm of c, a miss of a.
  report.score.add({{{0, 0, 1.0}, {1, 1, 1.0}, {2, 2, 1.0}}, 4, 4}, std::vector{0, 1, 1, 1},
                   std::vector{0, 0, kUnknownClass, 0});
  write_class_scores(folder / "classes.csv", report);
  CHECK(contents_of(folder / "classes.csv") ==
        "class,nuclei,detections,hits,precision,recall,f1\n"
        "\"a, b\",3,1,1,1,0.3333333333333333,0.5\n"
        "c,0,2,0,0,1,0\n");
  write_confusion(folder / "confusion.csv", report);
  CHECK(contents_of(folder / "confusion.csv") ==
        "truth,\"a, b\",c,unknown,missed\n"
        "\"a, b\",1,1,0,1\n"
        "c,0,0,0,0\n"
        "unknown,0,1,0,0\n"
        "none,0,1,0,0\n");
  report.names.add("d");
  CHECK_THROWS_AS(write_class_scores(folder / "e.csv", report), ArgumentError);
  CHECK_THROWS_AS(write_confusion(folder / "e.csv", report), ArgumentError);
}
