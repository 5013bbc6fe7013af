// Parts of the program that are not seen from the outside one by one.
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <map>
#include <new>
#include <stdexcept>

#include <fcntl.h>
#include <unistd.h>

#include "nucdet/core/watch.hpp"
#include "nucdet/io/content_hash.hpp"

#include "endings.hpp"
#include "inputs.hpp"
#include "interrupt.hpp"
#include "io/temporary_folder.hpp"
#include "page_text.hpp"
#include "progress.hpp"
#include "run_records.hpp"
#include "shards.hpp"
#include "suggestions.hpp"
#include "support/catch.hpp"
#include "threads.hpp"

using namespace nucdet;
using namespace nucdet::program;
using Catch::Matchers::Contains;

namespace {

template <class Thrown>
std::optional<std::string> failure(const Thrown& thrown) {
  return failure_of(std::make_exception_ptr(thrown), "folder/a.png");
}

/// What `action` prints on stderr.
template <class Action>
std::string stderr_of(const Action& action) {
  const TemporaryFolder folder;
  std::fflush(stderr);
  const int before = dup(2), file = open((folder / "err").c_str(), O_CREAT | O_WRONLY, 0600);
  dup2(file, 2);
  action();
  std::fflush(stderr);
  dup2(before, 2);
  close(before), close(file);
  return contents_of(folder / "err");
}

}  // namespace

TEST_CASE("the word that was meant") {
  const std::vector<std::string> known{"--threshold", "--threads", "--tile", "--out", "-o", "--no-fuse"};
  CHECK(likely("--treshold", known) == "--threshold");
  CHECK(likely("--thershold", known) == "--threshold");
  CHECK(likely("--thr", known) == "--threshold");
  CHECK(likely("--thread", known) == "--threads");
  CHECK(likely("--ouut", known) == "--out");
  CHECK(likely("--nonsense", known).empty());
  CHECK(likely("-x", known).empty());
  CHECK(likely("", known).empty());
  CHECK(likely(std::string(100000, 'x'), known).empty());
  CHECK(suggestion("detct", {"detect", "doctor"}) == ", did you mean 'detect'?");
  CHECK(suggestion("paint", {"detect", "doctor"}).empty());
}

TEST_CASE("threads of a job: what may be used, and less where a scheduler or OpenMP says so") {
  const auto with = [](std::map<std::string, const char*> variables, const Processors& there) {
    return choose_threads(there, [&](const char* name) {
      const auto found = variables.find(name);
      return found == variables.end() ? nullptr : found->second;
    });
  };
  const Processors eight{.machine = 64, .affinity = 8, .quota = 0};
  CHECK(with({}, eight).count == 8);
  CHECK(with({}, {.machine = 64, .affinity = 8, .quota = 1.5}).count == 2);
  CHECK(with({{"SLURM_CPUS_PER_TASK", "3"}}, eight).count == 3);
  CHECK(with({{"OMP_NUM_THREADS", "2,4"}}, eight).count == 2);
  CHECK(with({{"OMP_NUM_THREADS", "5"}, {"SLURM_CPUS_PER_TASK", "4"}}, eight).count == 4);
  CHECK(with({{"SLURM_CPUS_PER_TASK", "128"}}, eight).count == 8);
  for (const char* text : {"", "0", "-2", "many", "3x", "99999999999999999999"})
    CHECK(with({{"OMP_NUM_THREADS", text}}, eight).count == 8);
  CHECK_THAT(with({{"SLURM_CPUS_PER_TASK", "3"}}, eight).why,
             Contains("8 of 64 processors") && Contains("SLURM_CPUS_PER_TASK is 3"));
}

TEST_CASE("what fails at an image names it, what ends the command does not") {
  CHECK(failure(IoError("folder/a.png: ends early")) == "folder/a.png: ends early");
  CHECK(failure(ArgumentError("100 x 100 pixels")) == "folder/a.png: 100 x 100 pixels");
  CHECK_THAT(*failure(std::bad_alloc()), Contains("folder/a.png: out of memory"));
  CHECK_THAT(*failure(std::length_error("vector")), Contains("folder/a.png: out of memory"));
  CHECK_THAT(*failure(std::filesystem::filesystem_error("status", std::make_error_code(std::errc::io_error))),
             Contains("folder/a.png: "));
  CHECK(!failure(Stopped("stopped")));
  CHECK(!failure(CudaError("lost")));
  CHECK(!failure(std::logic_error("ours")));
}

TEST_CASE("exceptions become exit codes and one message") {
  int code = -1;
  const auto told = [&](const auto& thrown) {
    return stderr_of([&] { code = guarded([&]() -> int { throw thrown; }); });
  };
  CHECK((told(ArgumentError("a\x1b[2J")) == "nucdet: a\\x1b[2J\n" && code == kWrongUsage));
  CHECK((told(IoError("b:\n  c")) == "nucdet: b:\n  c\n" && code == kFileProblem));
  CHECK((told(Stopped("d")) == "nucdet: d\n" && code == kStopped));
  CHECK((told(std::runtime_error("e")) == "nucdet: e\n" && code == kFailure));
  CHECK_THAT(told(std::bad_alloc()), Contains("out of memory"));
  CHECK(code == kOutOfMemory);
  told(std::filesystem::filesystem_error("f", std::make_error_code(std::errc::io_error)));
  CHECK(code == kFileProblem);
  CHECK(guarded([] { return 3; }) == 3);
}

TEST_CASE("signals: to finish the image in work, then to stop") {
  {
    Interrupt interrupt(Interrupt::Ending::after_piece);
    interrupt.poll();
    CHECK((!interrupt.finish_requested() && !interrupt.token().stop_requested()));
    std::raise(SIGUSR1);
    interrupt.poll();
    CHECK((interrupt.finish_requested() && !interrupt.token().stop_requested()));
    std::raise(SIGTERM);
    interrupt.poll();
    CHECK(interrupt.token().stop_requested());
  }
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    Interrupt interrupt;
    std::raise(signal);
    interrupt.poll();
    CHECK(interrupt.token().stop_requested());
  }
  Interrupt interrupt(Interrupt::Ending::after_piece);
  std::raise(SIGINT);
  interrupt.poll();
  CHECK(interrupt.token().stop_requested());
}

TEST_CASE("progress within an image, also while nothing is told") {
  const std::string told = stderr_of([] {
    ImageProgress progress(2, false, std::chrono::milliseconds(20));
    progress.begin("a\tb.png");
    progress.tiles(3, 8);
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    progress.end();
    progress.begin("c.png");
    progress.end();
  });
  CHECK_THAT(told, Contains("image 0/2  a\\x09b.png, tile 3/8  left") && Contains("image 2/2  c.png"));
  CHECK(std::count(told.begin(), told.end(), '\n') >= 3);
  CHECK(stderr_of([] {
          ImageProgress quiet(1, true, std::chrono::milliseconds(1));
          quiet.begin("a.png"), quiet.tiles(1, 2), quiet.end();
        }).empty());
  // Quick work says one line, at its end.
  const std::string once = stderr_of([] {
    ImageProgress progress(1, false);
    progress.begin("a.png"), progress.tiles(1, 1), progress.end();
  });
  CHECK(std::count(once.begin(), once.end(), '\n') == 1);
}

TEST_CASE("progress of slides: tiles, area, nuclei, and the time that is left by what this run did") {
  const auto told_of = [](int images) {
    return stderr_of([&] {
      ImageProgress progress(images, false, std::chrono::milliseconds(20));
      progress.begin("a.svs");
      progress.slide({.done = 30, .all = 50, .unit = "mm2", .nuclei = 700});  // by a run that was ended
      progress.tiles(30, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      progress.slide({.done = 32, .all = 50, .unit = "mm2", .nuclei = 1234});
      progress.tiles(32, 50);
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
      progress.end();
    });
  };
  const std::string alone = told_of(1), of_many = told_of(2);
  CHECK_THAT(alone, Contains("image 0/1  a.svs, tile 30/50, 30.00 of 50.00 mm2, 700 nuclei  left ?"));
  CHECK_THAT(alone, Contains("a.svs, tile 32/50, 32.00 of 50.00 mm2, ") && Contains(" mm2/s, 1234 nuclei  left "));
  // 2 mm2 took 0.2 s or more, so the other 18 take 1.8 s or more; by all 32, less than one would be left.
  CHECK_THAT(alone, Contains("1234 nuclei  left 1 s") || Contains("1234 nuclei  left 2 s"));
  CHECK_THAT(of_many, Contains("1234 nuclei, left of it ") && Contains("image 0/2  a.svs"));
}

TEST_CASE("shards: together all, none twice, by names and sizes and not by the order") {
  std::vector<Share> shares;
  for (int i = 0; i < 200; ++i)
    shares.push_back({"slide_" + std::to_string(i * 37 % 200), static_cast<std::uint64_t>(i % 17 * i % 23) << 28});
  std::vector<Share> backwards(shares.rbegin(), shares.rend());
  for (const int count : {1, 2, 7, 200, 300}) {
    std::map<std::string, int> seen;
    std::uint64_t least = ~std::uint64_t{0}, most = 0, largest = 0;
    for (int number = 1; number <= count; ++number) {
      std::vector<std::string> names, others;
      std::uint64_t load = 0;
      for (const std::size_t i : in_shard(shares, {number, count})) {
        names.push_back(shares[i].name), load += shares[i].bytes, ++seen[shares[i].name];
        largest = std::max(largest, shares[i].bytes);
      }
      for (const std::size_t i : in_shard(backwards, {number, count})) others.push_back(backwards[i].name);
      std::sort(names.begin(), names.end()), std::sort(others.begin(), others.end());
      CHECK(names == others);
      least = std::min(least, load), most = std::max(most, load);
    }
    CHECK(seen.size() == shares.size());
    CHECK(std::all_of(seen.begin(), seen.end(), [](const auto& s) { return s.second == 1; }));
    CHECK(most - least <= largest + (200u << 16));  // what the last one dealt out can be apart
  }
  CHECK(in_shard({}, {1, 3}).empty());
}

TEST_CASE("shards of small images are of the same number, those of large ones of the same size") {
  std::vector<Share> shares{{"large", 1u << 30}};
  for (int i = 0; i < 30; ++i) shares.push_back({"small" + std::to_string(i), 100});
  CHECK(in_shard(shares, {1, 4}) == std::vector<std::size_t>{0});
  for (int number = 2; number <= 4; ++number) CHECK(in_shard(shares, {number, 4}).size() == 10);
}

TEST_CASE("a shard by its text, and by what Slurm says of a task") {
  CHECK(parse_shard("1/1") == Shard{1, 1});
  CHECK(parse_shard("12/40") == Shard{12, 40});
  for (const char* text : {"", "/", "1", "1/", "/2", "0/2", "3/2", "-1/2", "1/2/3", "a/b", "1 /2", "1/99999999", "1/0"})
    CHECK_THROWS_AS(parse_shard(text), ArgumentError);
  const auto with = [](std::map<std::string, const char*> variables) {
    return shard_of_array([variables](const char* name) {
      const auto found = variables.find(std::string(name).substr(17));  // after SLURM_ARRAY_TASK_
      return found == variables.end() ? nullptr : found->second;
    });
  };
  CHECK_FALSE(with({}));
  CHECK_FALSE(with({{"ID", "3"}}));
  CHECK(with({{"ID", "0"}, {"COUNT", "8"}}) == Shard{1, 8});
  CHECK(with({{"ID", "7"}, {"COUNT", "8"}, {"MIN", "0"}, {"MAX", "7"}, {"STEP", "1"}}) == Shard{8, 8});
  CHECK(with({{"ID", "9"}, {"COUNT", "3"}, {"MIN", "1"}, {"MAX", "9"}, {"STEP", "4"}}) == Shard{3, 3});
  CHECK_THROWS_AS(with({{"ID", "7"}, {"COUNT", "3"}, {"MIN", "1"}, {"MAX", "7"}, {"STEP", "1"}}), ArgumentError);
  CHECK_THROWS_AS(with({{"ID", "9"}, {"COUNT", "8"}}), ArgumentError);
}

TEST_CASE("a file is known again by its size and samples") {
  const TemporaryFolder folder;
  const auto hash = [&](const std::string& bytes) {
    put(folder / "a", bytes);
    return io::sampled_hash_of(folder / "a");
  };
  const std::string large(1 << 20, 'x');
  const std::string known = hash(large);
  CHECK(known == hash(large));
  CHECK(known != io::content_hash_of(folder / "a"));
  CHECK(known != hash(large + 'x'));
  for (const std::size_t at : {std::size_t{0}, std::size_t{1} << 19, (std::size_t{1} << 20) - 1}) {
    std::string other = large;
    other[at] = 'y';
    CHECK(known != hash(other));
  }
  std::string between = large;
  between[200'000] = 'y';
  CHECK(known == hash(between));  // which --full-hash is for
  const std::string small = hash("small");
  CHECK(small == io::content_hash_of(folder / "a"));
  CHECK_THROWS_AS(io::sampled_hash_of(folder / "missing"), IoError);
}

namespace {

ImageRecord example() {
  ImageRecord r{.image = "/slides/a \"b\".svs", .input = "1", .key = "2"};
  r.row = {.image = "p/a", .width = 7, .height = 5, .pixel_size = {0.25, 0.5}, .area_mm2 = 0.125, .nuclei = 3};
  r.row.of_class = {1, 2}, r.row.seconds = 1.5, r.classes = {"tumour", "stroma, other"};
  r.started = "2025-01-01T00:00:00.000Z", r.host = "n1", r.version = "1", r.shard = "1/2", r.files = {"../a.csv"};
  r.device = "cpu, avx2";
  return r;
}

}  // namespace

TEST_CASE("a record of an image comes back from its line") {
  const ImageRecord r = example();
  const std::string line = line_of(r);
  CHECK(std::count(line.begin(), line.end(), '\n') == 1);
  const std::optional<ImageRecord> back = record_of_line(line);
  REQUIRE(back);
  CHECK(line_of(*back) == line);
  CHECK((back->row.pixel_size.y == 0.5 && back->device == "cpu, avx2"));
  ImageRecord failed = r;
  failed.state = ImageRecord::State::failed, failed.error = "\xff\n\x1b broken";
  CHECK(record_of_line(line_of(failed))->error == "\xef\xbf\xbd\n\x1b broken");
  for (std::size_t cut = 0; cut + 2 < line.size(); cut += 7) CHECK_FALSE(record_of_line(line.substr(0, cut)));
  const auto counted = [](const std::string& count) {
    const auto record = record_of_line(R"({"format":"nucdet-image-1","state":"done","name":"a","nuclei":)" + count +
                                       R"(,"classes":{"a":)" + count + "}}");
    return std::pair(record->row.nuclei, record->row.of_class.at(0));
  };
  CHECK(counted("7") == std::pair<Index, Index>(7, 7));
  for (const char* other : {"1e300", "-5", "1e16", "\"7\"", "null"})
    CHECK(counted(other) == std::pair<Index, Index>(0, 0));
  for (const char* other : {"[]", "3", "{}", "null", "{\"format\":\"nucdet-image-1\",\"state\":3}"})
    CHECK_FALSE(record_of_line(other));
}

TEST_CASE("lines go on after one that was torn, and the latest record of an image counts") {
  const TemporaryFolder folder;
  ImageRecord first = example(), again = example(), failed = example();
  first.classes = again.classes = {}, first.row.of_class = again.row.of_class = {};
  {
    RunReport report(folder / "a.jsonl");
    CHECK(report.wanted());
    report.add(first);
  }
  put(folder / "a.jsonl", contents_of(folder / "a.jsonl") + "{\"format\":\"nucdet-im");
  again.state = ImageRecord::State::skipped, again.started = "2025-01-02", again.row.seconds = 0;
  {
    RunReport report(folder / "a.jsonl");
    CHECK(report.knows("p/a", "2"));
    CHECK_FALSE(report.knows("p/a", "3"));
    CHECK(report.named(folder / "b" / "c.csv") == "b/c.csv");
    report.add(again);
  }
  RunRecords run = read_run({folder.path().string()});
  REQUIRE(run.images.size() == 1);
  CHECK(run.notes.size() == 1);
  CHECK(run.images[0].row.seconds == 1.5);  // of the call that did it
  CHECK(totals_of(run).nuclei == 3);

  failed.state = ImageRecord::State::failed, failed.started = "2025-01-03";
  RunReport(folder / "b.jsonl").add(failed);
  CHECK(totals_of(read_run({folder.path().string()})).failed == 1);
  again.started = "2025-01-04";
  RunReport(folder / "0.jsonl").add(again);
  run = read_run({folder.path().string()});
  CHECK(totals_of(run).failed == 0);
  CHECK(totals_of(run).done == 1);
  const std::vector<Input> wanted{{{.image = "/elsewhere/a"}, "p/a"}, {{.image = "/slides/b"}, "p/b"}};
  CHECK(missing_of(run, wanted).size() == 1);
}

TEST_CASE("classes of several reports") {
  const TemporaryFolder folder;
  ImageRecord a = example(), b = example(), c = example();
  b.row.image = "b", b.image = "/b", b.classes = {"stroma, other", "lymphocyte"}, b.row.of_class = {5, 6};
  c.row.image = "c", c.image = "/c", c.classes = {}, c.row.of_class = {};
  RunReport report(folder / "a.jsonl");
  for (const ImageRecord& r : {a, b, c}) report.add(r);
  const RunRecords run = read_run({(folder / "a.jsonl").string()});
  const RunTotals totals = totals_of(run);
  std::map<std::string, Index> counts;
  for (std::size_t i = 0; i < run.classes.size(); ++i) counts[run.classes[i]] = totals.of_class[i];
  CHECK(counts == std::map<std::string, Index>{{"tumour", 1}, {"stroma, other", 7}, {"lymphocyte", 6}});
  CHECK(run.images[1].row.image == "c");
  CHECK(run.images[1].row.of_class.empty());
}

TEST_CASE("text in a page") {
  CHECK(html_text("<a href='x'>\"&\"</a>") == "&lt;a href=&#39;x&#39;&gt;&quot;&amp;&quot;&lt;/a&gt;");
  CHECK(html_text("\xff\x1b\xc3\xa9") == "\xef\xbf\xbd\xef\xbf\xbd\xc3\xa9");
  CHECK(link_text("a b/<\"'%#?.csv") == "a%20b/%3C%22%27%25%23%3F.csv");
  CHECK(link_text("javascript:x") == "javascript%3Ax");
  CHECK(base64("") == "");
  CHECK(base64("f") == "Zg==");
  CHECK(base64("fo") == "Zm8=");
  CHECK(base64("foo") == "Zm9v");
  CHECK(base64("foobar") == "Zm9vYmFy");
}

TEST_CASE("a list of paths") {
  const TemporaryFolder folder;
  put(folder / "l.txt", "\xef\xbb\xbf# slides\r\n\r\n  a.svs \r\nsub/../b.svs\n/c.svs");
  const auto paths = paths_in(folder / "l.txt");
  CHECK(paths == std::vector<std::filesystem::path>{folder / "a.svs", folder / "b.svs", "/c.svs"});
  CHECK(file_given("@x.txt") == "x.txt");
  const auto inputs = inputs_of(std::vector{(folder / "l.txt").string()}, "", false);
  CHECK(inputs.size() == 3);
}
