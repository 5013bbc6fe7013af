#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "budget.hpp"
#include "judge.hpp"
#include "laboratory.hpp"
#include "report.hpp"
#include "significance.hpp"

/// The experiments of the paper, one function each. What they share is here.
namespace nucdet::program::studies {

/// A network and how it is trained.
struct Contestant {
  std::string name;  ///< "FCRN-A, density"
  models::NetworkChoice network;
  std::string label = "auto", loss = "auto";
};

/// What an experiment has to work with.
struct Study {
  const StudyOptions& options;
  Budget budget;
  Laboratory& laboratory;
  std::vector<Collection> collections;
  Report report;

  const Collection& first() const { return collections.front(); }
  std::vector<std::uint64_t> seeds() const;
  /// Does the budget give the first network of the baseline and its closest rivals further seeds?
  bool repeats_rivals() const { return options.name == "baseline" && !options.seeds && budget.rival_seeds > 1; }
  /// The organs that the study is about: those asked for, or, by the budget, all or three drawn with the seed.
  std::vector<const Organ*> targets() const;
  /// The network asked for.
  Contestant contestant() const;

  /// Training from scratch on an organ.
  Training from_scratch(const Contestant& who, const Organ& organ, std::uint64_t seed) const;
  /// A training of the same that is to be compared with fine-tuning.
  Training tuning(const Contestant& who, const Organ& organ, std::uint64_t seed) const;
  /// From scratch, with a share of the other organs' images mixed in; 0: nothing.
  Training mixed(const Organ& organ, double share, std::uint64_t seed) const;
  /// Models of the contestant, one an organ of a collection.
  Judged at_home(const Collection& collection, const Contestant& who);
};

std::vector<const Organ*> all_organs(const Collection& collection);

/// F1 of every model on every organ's test images: f1[source][target], as positions in collection.organs(), the mean
/// over seeds.
std::vector<std::vector<double>> cross_f1(Study& study, const Collection& collection, const Contestant& who);
/// The organs but one by the F1 that their models reach on its validation images, the best first.
std::vector<std::string> sources_by_validation(Study& study, const Organ& target);

/// What a difference over organs is reported as.
struct Comparison {
  std::string what;  ///< "MicroNet - FRCN"
  Difference f1;
  std::optional<Difference> distance{};
};
Comparison compared(const std::string& what, const Judged& a, const Judged& b);
/// The same where one model a seed is tested on all organs.
Comparison compared_models(const std::string& what, const Judged& a, const Judged& b);
void report_comparisons(Study& study, const std::string& file, const std::vector<Comparison>& all);
/// Is it a finding? "higher", "lower", "no finding", "one model a network: no verdict", or "too few organs" to have
/// one.
std::string verdict(const Difference& difference);

/// Precision over recall, of what finds anything.
io::ChartSeries curve_of(const std::string& name, const Tested& tested);

/// The note that a data set of one slide an organ needs.
extern const char* const kOneSlideAnOrgan;

void baseline(Study& study);
void equal(Study& study);
void cross(Study& study);
void finetune(Study& study);
void mix(Study& study);
void gamma(Study& study);
void lambda(Study& study);

}  // namespace nucdet::program::studies
