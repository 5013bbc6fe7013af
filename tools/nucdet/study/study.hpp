#pragma once
#include <functional>
#include <string>
#include <vector>

#include "budget.hpp"
#include "laboratory.hpp"
#include "report.hpp"

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
  /// The organs that the study is about: those asked for, or three drawn with the seed.
  std::vector<std::string> targets() const;
  /// The network asked for.
  Contestant contestant() const;

  /// Training from scratch on an organ.
  Training from_scratch(const Contestant& who, const Organ& organ, std::uint64_t seed) const;
  /// A training of the same that is to be compared with fine-tuning.
  Training tuning(const Contestant& who, const Organ& organ, std::uint64_t seed) const;
  /// Trains and tests on a part; F1 and all else are 0 where training failed.
  Tested result(const Training& training, const PartPtr& part);
};

/// F1 of every model on every organ: f1[source][target], as positions in collection.organs(), the mean over seeds.
std::vector<std::vector<double>> cross_f1(Study& study, const Collection& collection, const Contestant& who);
/// The organs but one by the F1 that their models reach on it, the best first.
std::vector<std::string> sources_by_f1(Study& study, const std::string& target);

/// The note that a data set of one slide an organ needs.
extern const char* const kOneSlideAnOrgan;

void baseline(Study& study);
void cross(Study& study);
void finetune(Study& study);
void mix(Study& study);
void gamma(Study& study);
void lambda(Study& study);

}  // namespace nucdet::program::studies
