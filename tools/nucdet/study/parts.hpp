#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nucdet/data/dataset.hpp"

/// The pieces of data that a study trains and tests on.
namespace nucdet::program::studies {

/// Some samples, what they are in words, and a number that changes with any size, pixel, point or group of theirs.
struct Part {
  std::string text;  ///< "nuinsseg-human23 kidney train"
  std::uint64_t hash = 0;
  data::Dataset samples;
};
using PartPtr = std::shared_ptr<const Part>;

PartPtr make_part(std::string text, data::Dataset samples);

/// The samples of several parts as one.
PartPtr joined(std::string text, const std::vector<PartPtr>& parts);

/// Images that a study is judged by. All that trains, validates, mixes in or takes a share wants a PartPtr, which is
/// not had from these, and what is found on them (Tested) is not what choices are made of (Validated): a choice by test
/// images does not compile, unless somebody copies the samples out of `judged`.
class TestPart {
 public:
  explicit TestPart(PartPtr part) : part_(std::move(part)) {}
  /// For scores, and nothing else.
  const Part& judged() const { return *part_; }

 private:
  PartPtr part_;
};

/// The images of one organ.
struct Organ {
  std::string name, data;  ///< data: the collection's name
  PartPtr train, validation;
  TestPart test;
};

/// A data set's name: its folder's, also of "." and of a manifest in it. Empty for the root.
std::string collection_name(const std::string& manifest);

/// One data set, by organ.
class Collection {
 public:
  /// manifest: a file or a folder with one. organs: those that are wanted; none for all. An organ without a validation
  /// split gives its last training image for it. Throws IoError for an organ that is not there or has not the images
  /// for training, validation and test.
  Collection(Context<Cpu>& context, const std::string& manifest, const std::vector<std::string>& organs);

  const std::string& name() const { return name_; }
  const std::vector<Organ>& organs() const { return organs_; }
  /// Throws ArgumentError, listing what there is.
  const Organ& organ(const std::string& name) const;
  /// A number for the whole of it.
  std::uint64_t hash() const;

 private:
  std::string name_;
  std::vector<Organ> organs_;
};

/// About that share of a part's annotated area, in (0, 1]: whole images in their order, and of the next one a strip
/// from its left edge, of which the annotations are used. The paper varies the number of images; here an organ has
/// five.
PartPtr share_of(const PartPtr& part, double share);

/// Of the training images of all organs but one, that share, at least one image (or none for 0), drawn with the seed.
PartPtr auxiliary_of(const Collection& collection, const std::string& target, double share, std::uint64_t seed);

}  // namespace nucdet::program::studies
