#include <cstdint>
#include <cstring>
#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/io/annotations.hpp"
#include "nucdet/io/csv.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;
using Catch::Matchers::Contains;

namespace {

const std::vector<Point> kTwo = {{1.5, 2}, {3, -4}};

Annotations parsed(std::string_view text, const AnnotationOptions& options = {}) {
  return parse_annotation_bytes(std::as_bytes(std::span(text)), "t", options);
}
std::string refused(std::string_view text, const AnnotationOptions& options = {}) {
  return error_of<IoError>([&] { parsed(text, options); });
}
std::string joined(const std::vector<std::string>& lines) {
  std::string all;
  for (const std::string& line : lines) all += line + '\n';
  return all;
}

std::string utf16(std::string_view ascii, bool big_endian, bool mark) {
  std::string out = !mark ? "" : big_endian ? "\xFE\xFF" : "\xFF\xFE";
  for (const char c : ascii) {
    if (big_endian) out += '\0';
    out += c;
    if (!big_endian) out += '\0';
  }
  return out;
}

/// The bytes stored as they are, as the gzip format (RFC 1952) allows.
std::string gzipped(const std::string& text) {
  std::uint32_t crc = ~0u;
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (0xEDB88320u & (0u - (crc & 1u)));
  }
  std::string out("\x1F\x8B\x08\0\0\0\0\0\0\xFF\x01", 11);
  const auto add = [&](std::uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  };
  const auto size = static_cast<std::uint32_t>(text.size());
  add(size, 2), add(~size, 2);
  out += text;
  add(~crc, 4), add(size, 4);
  return out;
}

/// A selection of ImageJ's (.roi): the header's 64 bytes, whole places from its corner, and exact ones.
std::string roi(std::uint8_t type, const std::vector<Point>& points, bool exact, bool large_count) {
  std::string out(64, '\0');
  const auto put16 = [&](std::size_t at, int value) {
    out[at] = static_cast<char>(value >> 8), out[at + 1] = static_cast<char>(value);
  };
  out.replace(0, 4, "Iout");
  put16(4, 227), out[6] = static_cast<char>(type);
  put16(8, -10), put16(10, 20);  // top, left
  put16(large_count ? 20 : 16, static_cast<int>(points.size()));
  if (exact) put16(50, 128);
  const auto add = [&](std::uint32_t value, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(value >> (8 * i));
  };
  for (const Point& p : points) add(static_cast<std::uint32_t>(static_cast<int>(p.x) - 20), 2);
  for (const Point& p : points) add(static_cast<std::uint32_t>(static_cast<int>(p.y) + 10), 2);
  const auto add_float = [&](double value) {
    const float f = static_cast<float>(value);
    std::uint32_t bits = 0;
    std::memcpy(&bits, &f, 4), add(bits, 4);
  };
  if (exact)
    for (const Point& p : points) add_float(p.x);
  if (exact)
    for (const Point& p : points) add_float(p.y);
  return out;
}

}  // namespace

TEST_CASE("tables as other programs and spreadsheets write them") {
  for (const char* text : {"x;y\n1.5;2\n3;-4\n",
                           "x;y\r\n1,5;2,0\r\n3;-4,00\r\n",
                           "x\ty\n1,5\t+2\n3\t-4\n",
                           "\"x\",\"y\"\n\"1,5\",\"2\"\n\"3\",\"-4\"\n",
                           "X,Y\n+1.5,+2\n3,-4\n",
                           "y,x\n2,1.5\n-4,3\n",
                           "row,col\n2,1.5\n-4,3\n",
                           "Column,Row\n1.5,2\n3,-4\n",
                           "x,y\r1.5,2\r3,-4\r",
                           "\n\nx,y\n\n1.5,2\n,\n\n3,-4\n,\n",
                           "x,y,\n1.5,2,\n3,-4,\n",
                           "x,y\n1.5,2,,\n3,-4,,\n",
                           "# a comment\nx,y\n1.5,2\n# another\n3,-4\n",
                           ",x,y\n0,1.5,2\n1,3,-4\n",
                           "#,x,y\n0,1.5,2\n1,3,-4\n",
                           " x , y \n 1.5 , 2 \n 3 , -4 \n",
                           "x y\n1.5 2\n3   -4 \n",
                           "sep=;\nx;y\n1.5;2\n3;-4\n",
                           "x [px],y [px]\n1.5,2\n3,-4\n",
                           "centroid-0,centroid-1\n2,1.5\n-4,3\n",
                           "index,axis-0,axis-1\n0,2,1.5\n1,-4,3\n",
                           "label,centroid_x,centroid_y\n7,1.5,2\n9,3,-4\n",
                           "x,y\n1.5e0,2E+0\n3.0,-4\n"}) {
    INFO(text);
    const Annotations found = parsed(text);
    CHECK(found.points == kTwo);
    CHECK(found.classes.empty());
    CHECK(!found.detections);
  }
  for (const bool big : {false, true})
    for (const bool mark : {false, true}) CHECK(parsed(utf16("x\ty\r\n1,5\t2\r\n3\t-4\r\n", big, mark)).points == kTwo);
  CHECK(parsed("x,y\n").points.empty());
  for (const char* name : {"class", "Class", "Classification", "type", "Label"})
    CHECK(parsed("x,y," + std::string(name) + "\n1,2,a\n3,4,\n").classes == std::vector<std::string>{"a", ""});
  const Annotations latin = parsed(
      "x,y,class\n1,2,\xD6"
      "dem\n");
  CHECK(latin.classes == std::vector<std::string>{"\xC3\x96"
                                                  "dem"});
  CHECK_THAT(joined(latin.notes), Contains("Latin-1"));
}

TEST_CASE("a table without a header is x, y, and a note says so; a comment may be its header") {
  const Annotations found = parsed("1.5,2\n3,-4\n");
  CHECK(found.points == kTwo);
  CHECK_THAT(joined(found.notes), Contains("header"));
  CHECK_THAT(joined(parsed("1.5;2;tumour\n3;-4;\n").notes), Contains("first two of 3"));
  CHECK(parsed("1.5 2\n3 -4\n").points == kTwo);
  CHECK(parsed("# y x\n2 1.5\n-4 3\n").points == kTwo);
  CHECK(parsed("# y x\n2 1.5\n-4 3\n").notes.empty());
}

TEST_CASE("QuPath measures from a pixel's corner, in um where it knows them") {
  for (const char* um : {"\xC2\xB5m", "\xCE\xBCm", "\xB5m", "um", "(um)"}) {
    const std::string text = "Image\tObject type\tName\tClass\tCentroid X " + std::string(um) + "\tCentroid Y " + um +
                             "\na.png\tDetection\t\tTumor\t1.0\t1.25\na.png\tCell\t\t\t1.75\t-1.75\n";
    const Annotations found = parsed(text, {.um_per_pixel = 0.5});
    CHECK(found.format == "QuPath measurements");
    CHECK(found.points == kTwo);
    CHECK(found.classes == std::vector<std::string>{"Tumor", ""});
  }
  const std::string one = "Image\tObject type\tCentroid X um\tCentroid Y um\na.png\tDetection\t0.5\t1\n";
  CHECK(parsed(one).points == std::vector<Point>{{1.5, 3.5}});
  CHECK_THAT(joined(parsed(one).notes), Contains("0.25 um a pixel, which is assumed"));
  CHECK(
      parsed("Object type,Centroid X px,Centroid Y px\nDetection,2,2.5\nAnnotation,9,9\nDetection,3.5,-3.5\n").points ==
      kTwo);
  CHECK(parsed("Object type,Centroid X px,Centroid Y px\nImage,,\nRoot object "
               "(Image),,\nAnnotation,2,2.5\nAnnotation,3.5,-3.5\n")
            .points == kTwo);
  const std::string several = one + "b.svs\tDetection\t1\t1\n";
  CHECK_THAT(refused(several), Contains("line 3") && Contains("'a.png' and 'b.svs'"));
  CHECK(parsed(several, {.image = "b.svs"}).points == std::vector<Point>{{3.5, 3.5}});
  CHECK(parsed(several, {.image = "a"}).points == std::vector<Point>{{1.5, 3.5}});
  CHECK_THAT(refused(several, {.image = "c.png"}), Contains("'c.png'"));
  CHECK(parsed(one, {.image = "renamed.png"}).points.size() == 1);  // nothing to choose from
  CHECK(parsed(several, {.all_images = true}).points.size() == 2);
  const Annotations points = parsed("x\ty\tclass\tname\tcolor\n2\t2.5\tTumor\t\t-65536\n3.5\t-3.5\t\t\t-1\n");
  CHECK((points.format == "QuPath points" && points.points == kTwo));
  CHECK(points.classes == std::vector<std::string>{"Tumor", ""});
  // Columns that no object fills are not there; each ends in a tab.
  for (const char* text : {"x\ty\t\n2\t2.5\t\n3.5\t-3.5\t\n", "x\ty\tclass\t\n2\t2.5\tTumor\t\n3.5\t-3.5\t\t\n"})
    CHECK(parsed(text).points == kTwo);
  // Of nucdet's own tables, which count um from the corner as QuPath does.
  CHECK(parsed("x_um,y_um\n1.0,1.25\n1.75,-1.75\n", {.um_per_pixel = 0.5}).points == kTwo);
}

TEST_CASE("ImageJ's results: points have their pixels' centres as whole numbers, areas their corners") {
  const Annotations points =
      parsed(" ,Label,Area,Mean,Min,Max,X,Y\n1,a.tif,0,120,120,120,1.5,2\n2,a.tif,0,1,1,1,3,-4\n");
  CHECK((points.format == "ImageJ results" && points.points == kTwo && points.classes.empty()));
  CHECK(parsed(" \tArea\tX\tY\n1\t12\t2\t2.5\n2\t9\t3.5\t-3.5\n").points == kTwo);
  CHECK(parsed("X,Y\n1.5,2\n3,-4\n").points == kTwo);
  for (const bool large : {false, true}) {
    CHECK(parsed(roi(10, {{1, 2}, {300, -4}}, false, large)).points == std::vector<Point>{{1, 2}, {300, -4}});
    CHECK(parsed(roi(10, kTwo, true, large)).points == kTwo);
  }
  CHECK_THAT(refused(roi(0, kTwo, true, false)), Contains("type 0") && Contains("points"));
  const std::string whole = roi(10, kTwo, true, false);
  for (std::size_t length = 4; length < whole.size(); ++length)
    CHECK_THAT(refused(whole.substr(0, length)), Contains("ends early"));
}

TEST_CASE("a table of many images is one of the image that is asked for, whatever made it") {
  for (const char* text : {"image,x,y\na.png,1,2\nb.png,3,4\n", "x,y,Filename\n1,2,a.png\n3,4,b.png\n",
                           " ,X,Y,Label\n1,1,2,a.png\n2,3,4,b.png\n"}) {
    CHECK_THAT(refused(text), Contains("points of the images 'a.png' and 'b.png' in one table"));
    CHECK(parsed(text, {.image = "b.png"}).points == std::vector<Point>{{3, 4}});
    CHECK(parsed(text, {.image = "b.png"}).classes.empty());
  }
}

TEST_CASE("what looks like a comment but has the fields of a row is a row") {
  CHECK(parsed("color,x,y\n# made by hand\n#ff0000,1,2\n#00ff00,3,4\n").points == std::vector<Point>{{1, 2}, {3, 4}});
}

TEST_CASE("of three axes the last two are y and x") {
  const Annotations found = parsed("index,axis-0,axis-1,axis-2\n0,5,2,1.5\n1,7,-4,3\n");
  CHECK(found.points == kTwo);
  CHECK_THAT(joined(found.notes), Contains("three axes"));
}

TEST_CASE("boxes become their middles") {
  // A box of one pixel has that pixel's centre, a whole number.
  for (const char* text : {"x,y,width,height\n3,4,1,1\n10,20,4,3\n", "class,x,y,w,h\na,3,4,1,1\na,10,20,4,3\n"}) {
    const Annotations boxes = parse_annotations(text, "t");
    CHECK((boxes.points == std::vector<Point>{{3, 4}, {11.5, 21}}));
    REQUIRE(boxes.notes.size() == 1);
    CHECK(boxes.notes[0].find("were taken for boxes") != std::string::npos);
  }
  CHECK(parse_annotations("x,y,width\n3,4,9\n", "t").points == std::vector<Point>{{3, 4}});
}

TEST_CASE("ImageJ's Cell Counter: a marker's type is its class, by name where it has one") {
  if (refused("<svg></svg>").find("without pugixml") != std::string::npos) {
    WARN("built without pugixml");
    return;
  }
  const std::string head =
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<CellCounter_Marker_File>\n<Image_Properties/>\n<Marker_Data>";
  const std::string marker = "<Marker><MarkerX>31</MarkerX><MarkerY>0</MarkerY><MarkerZ>1</MarkerZ></Marker>";
  const Annotations found =
      parsed(head + "<Current_Type>0</Current_Type><Marker_Type><Type>1</Type>" + marker +
             "</Marker_Type><Marker_Type><Type>2</Type><Name>lymph &amp; co</Name><Marker><MarkerX> 5 "
             "</MarkerX><MarkerY>6</MarkerY></Marker></Marker_Type></Marker_Data></CellCounter_Marker_File>");
  CHECK(found.points == std::vector<Point>{{31, 0}, {5, 6}});
  CHECK(found.classes == std::vector<std::string>{"Type 1", "lymph & co"});
  CHECK_THAT(
      refused(
          head +
          "<Marker_Type><Marker><MarkerX>a</MarkerX></Marker></Marker_Type></Marker_Data></CellCounter_Marker_File>"),
      Contains("marker 1: MarkerX is 'a'"));
  CHECK_THAT(refused("<svg></svg>"), Contains("<svg>") && Contains("Cell Counter"));
  CHECK_THAT(refused("<a><b></a>"), Contains("is not XML"));
}

TEST_CASE("nucdet's own files are known as detections") {
  CHECK(parsed("x,y,score\n1.5,2,3\n3,-4,2\n").detections);
  CHECK(parsed("x,y,score,class,class_probability\n1.5,2,3,a,1\n").classes == std::vector<std::string>{"a"});
  CHECK_FALSE(parsed("x,y,class,score\n1,2,a,3\n").detections);
  for (const char* resaved : {"x;y;score\n1,5;2;3\n", ",x,y,score\n0,1.5,2,3\n", "score,x,y\n3,1.5,2\n",
                              "X\tY\tScore\tx_um\ty_um\n1.5\t2\t3\t0.5\t0.6\n"})
    CHECK(parsed(resaved).detections);
  const Annotations json = parsed(
      R"({"format": "nucdet-detections-1", "nuclei": [{"x": 1.5, "y": 2, "score": 3}, {"x": 3, "y": -4, "class": "b"}]})");
  CHECK((json.detections && json.points == kTwo && json.format == "nucdet JSON"));
  CHECK(json.classes == std::vector<std::string>{"", "b"});
  for (const char* bad :
       {R"({"format": "nucdet-detections-1"})", R"({"format": "nucdet-detections-1", "nuclei": [{"x": 1}]})",
        R"({"format": "nucdet-detections-1", "nuclei": [{"x": 1, "y": 1e999}]})",
        R"({"format": "nucdet-detections-1", "nuclei": [)"})
    CHECK_FALSE(refused(bad).empty());
}

TEST_CASE("formats are told apart by content, packed or not, whatever the name") {
  const TemporaryFolder folder;
  const std::string json = R"({"type":"Feature","geometry":{"type":"Point","coordinates":[2,2.5]},"properties":{}})";
  put(folder / "a.txt", "\xEF\xBB\xBF \n" + json);
  CHECK(read_annotations(folder / "a.txt").points == std::vector<Point>{{1.5, 2}});
  put(folder / "b.json", gzipped("x,y\n1.5,2\n") + gzipped("3,-4\n"));
  CHECK(read_annotations(folder / "b.json").points == kTwo);
  CHECK_THAT(refused(gzipped(gzipped(json))), Contains("gzip file in a gzip file"));
  CHECK_THAT(refused(gzipped(json).substr(0, 40)), Contains("t: "));
  CHECK_THAT(refused("PK\x03\x04 "), Contains("Excel") && Contains("tables of points"));
  CHECK_THAT(refused("\x89HDF\r\n"), Contains("HDF5"));
  CHECK_THAT(refused(std::string_view("\x01\x02\x03\0\x05", 5)), Contains("binary file") && Contains("GeoJSON"));
  CHECK_THAT(refused(""), Contains("empty"));
  CHECK_THAT(refused(std::string_view("SQLite format 3\0", 16)), Contains("SQLite"));
}

TEST_CASE("of points at one place the first is kept, unless all are wanted") {
  const char* text = "x,y,class\n1.5,2,a\n3,-4,\n1.50,2,b\n3,-4.0,\n3,-4,c\n";
  const Annotations found = parsed(text);
  CHECK(found.points == kTwo);
  CHECK(found.classes == std::vector<std::string>{"a", ""});
  CHECK_THAT(joined(found.notes), Contains("3 duplicates"));
  CHECK(parsed(text, {.keep_duplicates = true}).points.size() == 5);
  CHECK(parse_points(text, "t").size() == 5);
}

TEST_CASE("annotations come back from what they are written as") {
  const TemporaryFolder folder;
  Annotations given{.points = kTwo, .classes = {"a, \"b\"\tc", ""}};
  given.areas.regions = {{{{{0, 0}, {10, 0}, {10, 10.5}}}}};
  for (const char* name : {"a.csv", "a.TSV", "a.geojson", "b.GeoJSON.GZ"}) {
    INFO(name);
    REQUIRE(has_annotation_ending(folder / name));
    write_annotations(folder / name, given);
    const std::string text = contents_of(folder / name);
    CHECK((text.substr(0, 2) == "\x1F\x8B") == (name == std::string("b.GeoJSON.GZ")));
    const Annotations back = read_annotations(folder / name);
    CHECK((back.points == given.points && back.classes == given.classes && !back.detections));
    CHECK(back.areas.regions.size() == (keeps_areas(folder / name) ? 1 : 0));
    if (!keeps_areas(folder / name)) continue;
    std::vector<Point> ring = back.areas.regions.at(0).rings.at(0);
    ring.pop_back();  // GeoJSON's rings are closed
    CHECK(ring == given.areas.regions[0].rings[0]);
  }
  given.areas = {};
  write_annotations(folder / "c.geojson.gz", given);
  CHECK(read_annotations(folder / "c.geojson.gz").points == kTwo);
  CHECK(read_annotations(folder / "c.geojson.gz").classes == given.classes);
  CHECK_FALSE(has_annotation_ending(folder / "a.json"));
  CHECK_THROWS_WITH(write_annotations(folder / "a.xls", given), Contains(".geojson.gz"));
  given.points[0].x = std::numeric_limits<double>::infinity();
  CHECK_THROWS_AS(write_annotations(folder / "d.csv", given), ArgumentError);
  given.points[0].x = 2e9;  // more than is read back
  CHECK_THROWS_AS(write_annotations(folder / "d.csv", given), ArgumentError);
}

TEST_CASE("areas that are none are refused before anything is written") {
  const TemporaryFolder folder;
  const Area square{{{{0, 0}, {10, 0}, {10, 10}, {0, 10}}}};
  Area without_corners, two_corners = square, nowhere = square;
  without_corners.rings.emplace_back();
  two_corners.rings.push_back({{1, 1}, {2, 2}});
  nowhere.rings[0][1].y = std::numeric_limits<double>::quiet_NaN();
  for (const auto& [area, told] : {std::pair{Area{}, "has no rings"},
                                   {without_corners, "a ring of 0 corners, wanted 3"},
                                   {two_corners, "a ring of 2 corners, wanted 3"},
                                   {nowhere, "a corner at (10, nan)"}})
    for (const char* name : {"a.csv", "a.geojson", "a.db"})
      for (const bool region : {true, false}) {
        Annotations given{.points = kTwo};
        (region ? given.areas.regions : given.areas.ignored) = {square, area};
        INFO(name << told);
        CHECK_THAT(error_of<Error>([&] { write_annotations(folder / name, given); }),
                   Contains(region ? "region 1 has " : "ignored area 1 has ") && Contains(told));
        CHECK_FALSE(std::filesystem::exists(folder / name));
      }
}
