#include <algorithm>
#include <map>

#include "study.hpp"

namespace nucdet::program::studies {

namespace {

/// A model to start from.
struct Base {
  std::string name, organ;  // organ: empty for none
};

/// The fine-tunings of one target.
class Tuning {
 public:
  Tuning(Study& study, const Organ& target)
      : study_(study), who_(study.contestant()), target_(target), bases_(choose()) {}

  const std::vector<Base>& bases() const { return bases_; }
  const Base& best() const { return bases_[0]; }
  /// Why trainings gave nothing, by their names: all is missed there.
  const std::map<std::string, std::string>& failures() const { return failures_; }

  /// F1 on the target at each validation of a run of fine-tuning (first row of Fig. 5).
  io::ChartSeries by_iterations(const Base& base) {
    io::ChartSeries series{.label = base.name, .markers = true};
    const std::int64_t every = study_.budget.tuning.validate_every;
    for (std::int64_t i = every; i <= study_.budget.tuning.iterations; i += every) {
      std::vector<double> f1;
      for (const std::uint64_t seed : study_.seeds()) {
        const Trained trained = made(started(base, seed, target_.train));
        f1.push_back(study_.laboratory.test(trained, trained.snapshot(i), target_.test).score.f1());
      }
      add(series, static_cast<double>(i), f1);
    }
    return series;
  }

  /// F1 with a share of the target's annotations (second row).
  io::ChartSeries by_share(const Base& base) {
    io::ChartSeries series{.label = base.name, .markers = true};
    for (const double share : study_.budget.target_shares) {
      const PartPtr part = share < 1 ? share_of(target_.train, share) : target_.train;
      add(series, 100 * share, f1_of([&](std::uint64_t seed) { return started(base, seed, part); }));
    }
    return series;
  }

  /// F1 on the target of a base as it is, and of the target's own training from scratch, the whole of it.
  double untuned(const Base& base) { return whole(study_.first().organ(base.organ)); }
  double own() { return whole(target_); }

  /// F1 from snapshots of the best base's own training (third row).
  io::ChartSeries by_stage() {
    io::ChartSeries series{.label = target_.name + " from " + best().organ, .markers = true};
    for (std::int64_t k = 1; k <= study_.budget.base_stages; ++k) {
      const std::int64_t iteration = k * study_.budget.base_snapshots;
      add(series, static_cast<double>(iteration), f1_of([&](std::uint64_t seed) {
            Training base = study_.from_scratch(who_, study_.first().organ(best().organ), seed);
            base.options.snapshot_every = study_.budget.base_snapshots;
            base.options.validate_every = std::min(base.options.validate_every, study_.budget.base_snapshots);
            Training t = study_.tuning(who_, target_, seed);
            t.options.initial = study_.laboratory.train(base).snapshot(iteration).string();
            t.label += message(" from ", best().organ, ' ', iteration);
            return t;
          }));
    }
    return series;
  }

  /// F1 with the first blocks of the best base frozen (fourth row).
  io::ChartSeries by_frozen() {
    io::ChartSeries series{.label = target_.name + " from " + best().organ, .markers = true};
    const std::vector<std::string> names = study_.laboratory.blocks(who_.network);
    for (const int blocks : study_.budget.frozen_blocks) {
      if (blocks > static_cast<int>(names.size())) break;
      add(series, blocks, f1_of([&](std::uint64_t seed) {
            Training t = started(best(), seed, target_.train);
            t.options.freeze.assign(names.begin(), names.begin() + blocks);
            if (blocks > 0) t.label += message(" frozen ", blocks);
            return t;
          }));
    }
    return series;
  }

 private:
  /// The best and the worst model of other organs, two more drawn, and none.
  std::vector<Base> choose() const {
    const std::vector<std::string> sources = sources_by_validation(study_, target_);
    std::vector<Base> chosen{{"best, " + sources.front(), sources.front()}};
    if (sources.size() > 1) chosen.push_back({"worst, " + sources.back(), sources.back()});
    std::vector<std::string> rest;
    if (sources.size() > 2) rest.assign(sources.begin() + 1, sources.end() - 1);
    RandomStream random{study_.options.seed, 5};
    for (int i = 0; i < 2 && !rest.empty(); ++i) {
      const auto at = rest.begin() + static_cast<std::ptrdiff_t>(random.below(static_cast<Index>(rest.size())));
      chosen.push_back({"random, " + *at, *at});
      rest.erase(at);
    }
    chosen.push_back({"from scratch", ""});
    return chosen;
  }

  Training started(const Base& base, std::uint64_t seed, const PartPtr& part) {
    Training t = study_.tuning(who_, target_, seed);
    t.target = part;
    t.options.snapshot_every = part == target_.train ? t.options.validate_every : 0;
    if (base.organ.empty()) return t;
    const Training source = study_.from_scratch(who_, study_.first().organ(base.organ), seed);
    t.options.initial = study_.laboratory.train(source).weights().string();
    t.label += " from " + base.organ;
    return t;
  }
  template <class Make>
  std::vector<double> f1_of(const Make& make) {
    std::vector<double> f1;
    for (const std::uint64_t seed : study_.seeds()) {
      const Trained trained = made(make(seed));
      f1.push_back(study_.laboratory.test(trained, trained.weights(), target_.test).score.f1());
    }
    return f1;
  }
  Trained made(const Training& training) {
    Trained trained = study_.laboratory.train(training);
    if (!trained.failure.empty())
      failures_[training.label + ", seed " + std::to_string(training.options.seed)] = trained.failure;
    return trained;
  }
  double whole(const Organ& source) {
    return spread_of(f1_of([&](std::uint64_t seed) { return study_.from_scratch(who_, source, seed); })).mean;
  }
  static void add(io::ChartSeries& series, double x, const std::vector<double>& f1) {
    const Spread spread = spread_of(f1);
    series.points.push_back({x, spread.mean});
    if (f1.size() > 1) series.errors.push_back(spread.deviation);
  }

  Study& study_;
  Contestant who_;
  const Organ& target_;
  std::vector<Base> bases_;
  std::map<std::string, std::string> failures_{};
};

void add_rows(Table& table, const std::string& row, const std::string& target, const io::ChartSeries& series) {
  for (const Point& p : series.points) table.rows.push_back({row, target, series.label, shown(p.x, 0), shown(p.y, 4)});
}

io::Chart chart_of(const std::string& title, const std::string& x_label) {
  return {.title = title, .x_label = x_label, .y_label = "F1 on the target"};
}

/// F1 at the end of fine-tuning beside what it is to be compared with, a value a target.
struct Ends {
  std::vector<double> best, worst, scratch, untuned_best, untuned_worst, own;

  void add(Tuning& tuning, const std::vector<io::ChartSeries>& iterations) {
    const auto end = [](const io::ChartSeries& series) { return series.points.back().y; };
    best.push_back(end(iterations.front())), untuned_best.push_back(tuning.untuned(tuning.best()));
    scratch.push_back(end(iterations.back())), own.push_back(tuning.own());
    if (!tuning.bases()[1].name.starts_with("worst")) return;
    worst.push_back(end(iterations[1])), untuned_worst.push_back(tuning.untuned(tuning.bases()[1]));
  }
  void report(Study& study) const {
    std::vector<Comparison> all{
        {"best base, fine-tuned - untuned", paired_difference(best, untuned_best)},
        {"best base, fine-tuned - from scratch, as long", paired_difference(best, scratch)},
        {"best base, fine-tuned - from scratch, a whole training", paired_difference(best, own)}};
    if (!worst.empty()) {
      all.push_back({"worst base, fine-tuned - untuned", paired_difference(worst, untuned_worst)});
      all.push_back({"worst base, fine-tuned - from scratch, a whole training", paired_difference(worst, own)});
    }
    report_comparisons(study, "differences", all);
  }
};

}  // namespace

/// Table 2 and Fig. 5. The bases are chosen among the models of `cross` on the same data, by validation images.
void finetune(Study& study) {
  Table table{{"experiment", "target", "start", "x", "f1"}, {}};
  Table bases{{"target", "best base", "worst base", "random bases"}, {}};
  io::Chart stage = chart_of("Stage of the base model", "iterations of the base model's training"),
            frozen = chart_of("Frozen blocks", "first blocks frozen");
  Table failures{{"training", "failure"}, {}};
  Ends ends;
  for (const Organ* organ : study.targets()) {
    const std::string& target = organ->name;
    Tuning tuning(study, *organ);
    io::Chart iterations = chart_of("Iterations, " + target, "iterations of fine-tuning"),
              shares = chart_of("Share of the target's annotations, " + target, "per cent");
    std::vector<std::string> row{target, "-", "-", ""};
    for (const Base& base : tuning.bases()) {
      iterations.series.push_back(tuning.by_iterations(base));
      add_rows(table, "iterations", target, iterations.series.back());
      if (base.name.starts_with("best")) row[1] = base.organ;
      if (base.name.starts_with("worst")) row[2] = base.organ;
      if (base.name.starts_with("random")) row[3] += (row[3].empty() ? "" : ", ") + base.organ;
    }
    bases.rows.push_back(row);
    ends.add(tuning, iterations.series);
    for (const Base& base : {tuning.best(), tuning.bases().back()}) {
      shares.series.push_back(tuning.by_share(base));
      add_rows(table, "share", target, shares.series.back());
    }
    stage.series.push_back(tuning.by_stage()), frozen.series.push_back(tuning.by_frozen());
    add_rows(table, "stage", target, stage.series.back()), add_rows(table, "frozen", target, frozen.series.back());
    for (const auto& [name, why] : tuning.failures()) failures.rows.push_back({name, why});
    study.report.chart("iterations-" + target, iterations, "First row of Fig. 5. " + std::string(kOneSlideAnOrgan));
    study.report.chart("shares-" + target, shares, "Second row of Fig. 5. " + std::string(kOneSlideAnOrgan));
  }
  study.report.chart("stage", stage, "Third row of Fig. 5, from the best base. " + std::string(kOneSlideAnOrgan));
  study.report.chart("frozen", frozen, "Fourth row of Fig. 5, from the best base. " + std::string(kOneSlideAnOrgan));
  study.report.paragraph(
      "The base models (Table 2), by their F1 on the target's validation images before any fine-tuning:");
  study.report.table("bases", bases, true);
  ends.report(study);
  if (!failures.rows.empty()) study.report.paragraph("Trainings that gave nothing count as F1 0:");
  study.report.table("failures", failures, !failures.rows.empty());
  study.report.table("results", table, false);
}

}  // namespace nucdet::program::studies
