#include <limits>

#include "nucdet/core/error.hpp"
#include "nucdet/core/rng.hpp"
#include "nucdet/io/csv.hpp"

#include "io/temporary_folder.hpp"
#include "support/catch.hpp"

using namespace nucdet;
using namespace nucdet::io;

TEST_CASE("points come back to the last bit") {
  const TemporaryFolder folder;
  RandomStream random{1};
  std::vector<Nucleus> nuclei = {{{0, -0.5}, 0}, {{1e-300, 123456789.123456789}, 0.1f}};
  for (int i = 0; i < 200; ++i)
    nuclei.push_back({{random.uniform(-10, 500), random.uniform() * 1e-5}, static_cast<float>(random.uniform())});
  write_points(folder / "p.csv", nuclei);
  CHECK(read_points(folder / "p.csv") == centres_of(nuclei));
  CHECK(contents_of(folder / "p.csv").substr(0, 18) == "x,y,score\n0,-0.5,0");
  write_points(folder / "q.csv", centres_of(nuclei));
  CHECK(read_points(folder / "q.csv") == centres_of(nuclei));
  write_points(folder / "none.csv", std::vector<Point>{});
  CHECK(read_points(folder / "none.csv").empty());
}

TEST_CASE("points in other people's CSV") {
  const std::vector<Point> two = {{1.5, 2}, {3, -4}};
  for (const char* text :
       {"x,y\n1.5,2\n3,-4\n", "x,y\r\n1.5,2\r\n3,-4", "\xEF\xBB\xBFx,y\n\n 1.5 , 2 \n3e0,-4\n\n",
        "id,y,score,x\na,2,0.5,1.5\n\"b, \"\"c\"\"\nd\",-4,,3\n", "\"x\",\"y\"\n\"1.5\",2\n\"3\" ,-4\n"})
    CHECK(parse_points(text, "t") == two);
  CHECK(parse_points("x,y\n", "t").empty());
  CHECK(parse_points("x,y", "t").empty());
}

TEST_CASE("points with classes") {
  const Annotations found = parse_annotations("x,class,y\n1.5,tumour,2\n3,,-4\n5,\"a, b\",6\n", "t");
  CHECK(found.points == std::vector<Point>{{1.5, 2}, {3, -4}, {5, 6}});
  CHECK(found.classes == std::vector<std::string>{"tumour", "", "a, b"});
  CHECK(parse_annotations("x,y\n1,2\n", "t").classes.empty());
  CHECK(numbered(found, ClassNames({"a, b", "tumour"})).classes == std::vector<int>{1, kUnknownClass, 0});
  CHECK(numbered(parse_annotations("x,y\n1,2\n", "t"), ClassNames({"a"})) == AnnotatedPoints{{{1, 2}}, {}});
}

TEST_CASE("nuclei come back with their classes, by any points file's name") {
  const TemporaryFolder folder;
  const ClassNames names({"tumour", "a, b"});
  const std::vector<Nucleus> nuclei{{{1, 2}, 0.5f, 1, 0.75f}, {{3, 4}, 0.25f}, {{5, 6}, 1, 0, 1}};
  write_points(folder / "c.csv", nuclei, names);
  CHECK(contents_of(folder / "c.csv") ==
        "x,y,score,class,class_probability\n1,2,0.5,\"a, b\",0.75\n3,4,0.25,,\n5,6,1,tumour,1\n");
  const Annotations back = read_annotations(folder / "c.csv");
  CHECK(back.points == centres_of(nuclei));
  CHECK(numbered(back, names).classes == classes_of(nuclei));
  write_points(folder / "p.csv", nuclei, {});
  CHECK(contents_of(folder / "p.csv") == "x,y,score\n1,2,0.5\n3,4,0.25\n5,6,1\n");
  write_points(folder / "um.csv", nuclei, {}, {0.5, 0.25, "--mpp"});
  CHECK_THAT(contents_of(folder / "um.csv"), Catch::Matchers::StartsWith("x,y,score,x_um,y_um\n"));
  write_points(folder / "um.csv", std::vector<Nucleus>{{{-0.5, 7}, 0.3f, 1, 0.5f}, {{10.1234, 2}, 1}}, names,
               {0.5, 0.25, "--mpp"});
  CHECK(contents_of(folder / "um.csv") ==
        "x,y,score,class,class_probability,x_um,y_um\n"
        "-0.5,7,0.3," +
            csv_field(names[1]) +
            ",0.5,0.000,1.875\n"
            "10.1234,2,1,,,5.312,0.625\n");
  CHECK_THROWS_AS(write_points(folder / "d.csv", nuclei, ClassNames({"tumour"})), ArgumentError);
  put(folder / "q.GeoJSON", R"({"type":"Feature","geometry":{"type":"Point","coordinates":[1.5,2.5]},)"
                            R"("properties":{"classification":{"name":"stroma"}}})");
  const std::vector<std::filesystem::path> paths{folder / "q.GeoJSON", "", folder / "c.csv", folder / "p.csv"};
  CHECK(read_class_names(paths) == ClassNames({"a, b", "stroma", "tumour"}));
  CHECK(read_class_names({}).empty());
  std::string many = "x,y,class\n";
  for (int k = 0; k <= kMostClasses; ++k) many += std::to_string(k) + ",2,class " + std::to_string(k) + "\n";
  put(folder / "many.csv", many);
  const std::vector<std::filesystem::path> too_many{folder / "many.csv"};
  CHECK_THROWS_WITH(read_class_names(too_many), Catch::Matchers::Contains("many.csv: with its classes there are 17"));
}

TEST_CASE("a field is in quotes where it must be, and nowhere else") {
  for (const char* plain : {"", "a b", "\xC3\x96", "\xC3\x96 a \xC3\xB6"}) CHECK(csv_field(plain) == plain);
  for (const char* other : {" a", "a ", "\ta", "a,b", "a\nb"})
    CHECK(csv_field(other) == '"' + std::string(other) + '"');
  CHECK(csv_field("a\"b") == "\"a\"\"b\"");
}

TEST_CASE("bad points name file, line and what was found") {
  const auto error = [](std::string_view text) { return error_of<IoError>([&] { parse_points(text, "a.csv"); }); };
  CHECK(error("").find("a.csv: is empty, wanted a header") == 0);
  CHECK(error("a,b\n3,4\n").find("a.csv, line 1: header 'a,b' lacks the column 'x'") == 0);
  CHECK(error("X,name\n3,4\n").find("a.csv, line 1: header 'X,name' lacks the column 'y'") == 0);
  CHECK(error("x,y,x\n") == "a.csv, line 1: column 'x' is there twice");
  CHECK(error("x,y\n1,2\n1;2\n") == "a.csv, line 3: found 1 fields, the header has 2");
  CHECK(error("x,y\n1,2,3\n") == "a.csv, line 2: found 3 fields, the header has 2");
  CHECK(error("x,y\n1,\x1b[2J\n").find('\x1b') == std::string::npos);
  CHECK(error("x,y\n" + std::string(5000, ',') + "\n") == "a.csv, line 2: more than 1024 fields");
  CHECK(error(std::string_view("\xFF\xFEx\0,", 5)).find("odd number") != std::string::npos);
  CHECK(error("x,y\n1,2\n\n1,two\n") == "a.csv, line 4: y is 'two', wanted a number of pixels");
  CHECK(error("x,y\n\"1\n") == "a.csv, line 2: a quote is not closed");
  CHECK(error("x,y\n\"1\"1,2\n") == "a.csv, line 2: found '1' after a closing quote");
  for (const char* number : {"nan", "inf", "1e400", "2e9", "1.5px", "0x10", "", "1 2"})
    CHECK(error("x,y\n" + std::string(number) + ",0\n").find("a.csv, line 2: x is '" + std::string(number)) == 0);
  CHECK(error_of<IoError>([] { read_points("/nowhere/p.csv"); }).find("/nowhere/p.csv: cannot be opened") == 0);
  const std::vector<Point> bad = {{1, std::numeric_limits<double>::quiet_NaN()}};
  const TemporaryFolder folder;
  CHECK_THROWS_AS(write_points(folder / "p.csv", bad), ArgumentError);
  CHECK_FALSE(std::filesystem::exists(folder / "p.csv"));
}

TEST_CASE("points cut anywhere are points or an error, never more than there were") {
  const std::string text = "x,y,\"the, \"\"score\"\"\"\r\n10.25,20,0.5\r\n30,40.75,\"0.25\"\r\n";
  for (std::size_t length = 0; length <= text.size(); ++length) {
    std::size_t found = 0;
    const std::string_view part = std::string_view(text).substr(0, length);
    if (error_of<IoError>([&] { found = parse_points(part, "t").size(); }).empty()) CHECK(found <= 2);
  }
  CHECK(parse_points(text, "t") == std::vector<Point>{{10.25, 20}, {30, 40.75}});
}

TEST_CASE("a manifest comes back, with paths resolved against its folder") {
  const TemporaryFolder folder;
  for (const char* name : {"data/images/a, b.png", "data/images/c.tif", "data/points/a.csv"}) put(folder / name, "x");
  std::vector<ManifestEntry> entries(2);
  entries[0] = {folder / "data/images/a, b.png",
                folder / "data/points/a.csv",
                "liver \"left\"",
                "train",
                "id, 1",
                "p",
                320,
                240,
                17,
                0.7};
  entries[1].image = folder / "data/images/c.tif";
  write_manifest(folder / "data/manifest.csv", entries);
  CHECK(contents_of(folder / "data/manifest.csv").find("\n\"images/a, b.png\",points/a.csv,\"liver \"\"left\"\"\",") !=
        std::string::npos);
  for (const auto& path : {folder / "data/manifest.csv", folder / "data"}) {
    const auto read = read_manifest(path);
    REQUIRE(read.size() == 2);
    CHECK(read[0].image == entries[0].image);
    CHECK(read[0].annotations == entries[0].annotations);
    CHECK(read[0].organ == "liver \"left\"");
    CHECK(read[0].split == "train");
    CHECK(read[0].source_id == "id, 1");
    CHECK(read[0].patient == "p");
    CHECK((read[0].width == 320 && read[0].height == 240 && read[0].nuclei == 17 && read[0].scale == 0.7 &&
           !read[0].mpp));
    CHECK(read[1].annotations.empty());
    CHECK((read[1].width == 0 && read[1].height == 0 && read[1].nuclei == -1 && !read[1].scale));
  }
}

TEST_CASE("a manifest's columns may come in any order, only two are needed, others are ignored") {
  const TemporaryFolder folder;
  put(folder / "a.png", "x");
  const auto read = parse_manifest("colour,annotations,scale,image\r\nred,,0.5,./a.png\r\n", folder.path(), "m");
  REQUIRE(read.size() == 1);
  CHECK((read[0].image == folder / "a.png" && read[0].annotations.empty() && read[0].scale == 0.5));
  CHECK(error_of<IoError>([&] { parse_manifest("image,split\n", folder.path(), "m"); }) ==
        "m, line 1: header 'image,split' lacks the column 'annotations'");
}

TEST_CASE("everything wrong in a manifest is told at once") {
  const TemporaryFolder folder;
  put(folder / "a.png", "x");
  std::string text =
      "image,annotations,width,scale,mpp\na.png,,,,\n./a.png,b.csv,-1,0,\n,,x,nan,\na.tif,,,65,\na.png,,,1,0.5\n";
  const auto error = [&] { return error_of<IoError>([&] { parse_manifest(text, folder.path(), "m.csv"); }); };
  const std::string found = error();
  CHECK(found.find("m.csv: 9 problems:\n") == 0);
  for (const char* part :
       {"line 3: width is '-1'", "line 3: scale is '0'", "b.csv is missing",
        "line 6: scale is 1, and mpp is 0.5, a scale of 2, wanted one of them", "line 4: width is 'x'",
        "line 4: scale is 'nan'", "line 4: no image", "line 5: scale is '65', wanted 1/64 to 64"})
    CHECK(found.find(part) != std::string::npos);
  text = "image,annotations\n";
  for (int i = 0; i < 25; ++i) text += std::to_string(i) + ".png,\n";
  CHECK(error().find("9.png is missing\n  and 15 more") != std::string::npos);
}

TEST_CASE("a folder without a manifest lists its images with the points it finds") {
  const TemporaryFolder folder;
  for (const char* name : {"images/b.PNG", "images/a.jpeg", "images/c.tiff", "images/notes.txt", "images/b.csv",
                           "annotations/a.csv", "annotations/b.csv"})
    put(folder / name, "x");
  const auto read = read_manifest(folder / "images");
  REQUIRE(read.size() == 3);
  CHECK(read[0].image == folder / "images/a.jpeg");
  CHECK(std::filesystem::equivalent(read[0].annotations, folder / "annotations/a.csv"));
  CHECK(read[1].annotations == folder / "images/b.csv");
  CHECK(read[2].annotations.empty());
  CHECK(error_of<IoError>([&] { read_manifest(folder.path()); }).find("found neither manifest.csv nor") !=
        std::string::npos);
}

TEST_CASE("a folder's slides are listed by all scanners' endings, and the data beside them is not") {
  const TemporaryFolder folder;
  for (const char* name : {"a.svs", "b.NDPI", "c.mrxs", "c/Data0000.dat", "c/Slidedat.ini", "d.scn", "e.bif",
                           "f.svslide", "g.vms", "g_map2.opt", "h.czi", "i.DCM", "j.vsi", ".k.czi"})
    put(folder / name, "x");
  std::vector<std::string> notes;
  const auto images = list_images(folder.path(), {.recursive = true}, &notes);
  REQUIRE(images.size() == 6);
  CHECK((images[1] == folder / "b.NDPI" && images[2] == folder / "c.mrxs" && images[5] == folder / "f.svslide"));
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find(": 4 files of slides (CZI, DICOM, VMS, VSI) were passed over") != std::string::npos);
  const TemporaryFolder other;
  put(other / "a.czi", "x");
  CHECK(error_of<IoError>([&] { list_images(other.path(), {}); }).find("to be named one by one") != std::string::npos);
}

TEST_CASE("a folder's hidden files and what nucdet made of its images are passed over, and told once") {
  const TemporaryFolder folder;
  for (const char* name :
       {"a.png", "._a.png", ".b.jpg", "Thumbs.tif", "deep/c.svs", "deep/d.ome.tif", "deep/d.geojson.gz"})
    put(folder / name, "x");
  put(folder / "a.overlay.png", std::string_view("\x89PNG\r\n\x1a\n....tEXtSoftware\0nucdet 0.2", 35));
  put(folder / "a.csv", "x,y,score\n1,2,3\n");
  put(folder / "a.json", "{\n \"format\": \"nucdet-detections-2\"}");
  std::vector<std::string> notes;
  auto read = read_manifest(folder.path(), &notes);
  REQUIRE(read.size() == 1);
  CHECK((read[0].image == folder / "a.png" && read[0].annotations.empty()));
  REQUIRE(notes.size() == 3);
  CHECK(notes[0].find(": 3 hidden files were passed over") != std::string::npos);
  CHECK(notes[1].find(": 1 pictures that nucdet drew") != std::string::npos);
  CHECK(notes[2].find(": 2 files of nucdet's own detections") != std::string::npos);
  put(folder / "a.geojson", "[]");
  read = read_manifest(folder.path(), nullptr, {.recursive = true});
  REQUIRE(read.size() == 3);
  CHECK(read[0].annotations == folder / "a.geojson");
  CHECK((read[1].image == folder / "deep/c.svs" && read[2].annotations == folder / "deep/d.geojson.gz"));
}

TEST_CASE("manifests as spreadsheets and people write them") {
  const TemporaryFolder folder;
  put(folder / "a.png", "x"), put(folder / "b.png", "x");
  const auto read = [&](std::string_view text, std::vector<std::string>* notes = nullptr) {
    return parse_manifest(text, folder.path(), "m", notes);
  };
  for (const char* text : {"Image,Annotations,Split,Scale\na.png,,Train,2\nb.png,,VAL,\n",
                           "image;annotations;split;scale\r\na.png;;train;2,0\r\nb.png;;validation;\r\n;;;\r\n",
                           "\xEF\xBB\xBFimage\tannotations\tsplit\tscale\na.png\t\ttraining\t2\nb.png\t\tvalid\t\n",
                           "# mine\nimage,annotations,split,scale,\ra.png,,TRAIN,2,\rb.png,,Val,,\r"}) {
    const auto entries = read(text);
    REQUIRE(entries.size() == 2);
    CHECK((entries[0].split == "train" && entries[1].split == "val"));
    CHECK((entries[0].scale == 2.0 && !entries[1].scale));
  }
  CHECK(read("image,annotations,mpp\na.png,,0.5\n")[0].stated_scale() == 2);
  CHECK(read("image,annotations,mpp,scale\na.png,,0.5,2.01\n")[0].stated_scale() == 2.01);
  const auto error = [&](std::string_view text) { return error_of<IoError>([&] { read(text); }); };
  CHECK(error(std::string_view("image,annotations\na\0.png,\n", 26)).find("line 2: image 'a?.png' holds a control") !=
        std::string::npos);
  CHECK(error("image,annotations,scale\na.png,,0.5um\n").find("scale is '0.5um', wanted 1/64 to 64 (um a pixel") !=
        std::string::npos);
  CHECK(error("") == "m: is empty, wanted a header");
  CHECK(error("image,annotations\n#a.png,\n").find("#a.png is missing") != std::string::npos);

  std::vector<std::string> notes;
  CHECK(read("image,annotations,split\na.png,,train\n./a.png,,val\n", &notes).size() == 2);
  REQUIRE(notes.size() == 1);
  CHECK(notes[0].find("a.png is there twice, in line 2 and line 3, in train and val") != std::string::npos);
  notes.clear();
  CHECK(read("image,annotations,split\na.png,,train\n./a.png,,train\n", &notes).size() == 1);
  CHECK((notes.size() == 1 && notes[0].find("twice") != std::string::npos &&
         notes[0].find("counted once") != std::string::npos));
}
