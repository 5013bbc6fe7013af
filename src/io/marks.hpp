#pragma once
#include <string_view>

#include "nucdet/io/provenance.hpp"

/// How the files that nucdet writes say that it made them. The writers of src/io share these with product_of; what the
/// program writes by itself is held to them by tests/tools/test_files.sh.
namespace nucdet::io::detail {

constexpr std::string_view kMadeByAny = "nucdet ";  ///< kMadeBy of any version

/// Of an SQLite file: "nucd" as its application_id.
constexpr unsigned kSqliteApplication = 0x6E756364;

/// Of a network in ONNX: a message of protobuf that begins with the format's version and its producer's name.
constexpr std::string_view kOnnxHead = "\x08\x08\x12\x06nucdet";

/// The first columns of tables, by which they are known.
constexpr std::string_view kDetectionsHeader = "x,y,score";
constexpr std::string_view kSummaryHeader = "image,width,height,um_per_pixel_x,um_per_pixel_y,area_mm2,nuclei,per_mm2";
constexpr std::string_view kClassScoresHeader = "class,nuclei,detections,hits,precision,recall,f1";

/// How a table begins. Headers that users' own tables have too, "x,y" and that of a manifest, are no marks.
struct TableMark {
  std::string_view begin;
  Product product;
  std::string_view end{};
};
constexpr TableMark kTableMarks[] = {
    {kDetectionsHeader, Product::detections},
    {"nuclei_per_mm2 at y_um/x_um", Product::detections},
    {kSummaryHeader, Product::counts, ",seconds"},
    {"organ,images,nuclei,detections,hits,precision", Product::scores},
    {"image,images,nuclei,detections,hits,precision", Product::scores},
    {"xi,precision,recall,f1", Product::scores},
    {"threshold,precision,recall,f1", Product::scores},
    {kClassScoresHeader, Product::scores},
    {"xi,floor,hits,false_alarms,misses,distance_sum,distance_squares", Product::scores},
    {"iteration,loss,rate,gradient_norm,validation_loss,f1", Product::log},
};

/// A table of confusions has the names of classes in between.
constexpr std::string_view kConfusionBegin = "truth,", kConfusionEnd = ",unknown,missed";

}  // namespace nucdet::io::detail
