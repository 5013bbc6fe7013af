#include "nucdet/onnx/export.hpp"

#include <iostream>

#include "nucdet/core/printable.hpp"
#include "nucdet/io/atomic_file.hpp"
#include "nucdet/io/peaks.hpp"
#include "nucdet/io/provenance.hpp"
#include "nucdet/models/load.hpp"

#include "commands.hpp"
#include "default_model.hpp"
#include "guard.hpp"
#include "json_output.hpp"

namespace nucdet::program {

int export_network(const ExportOptions& o) {
  const std::string file = o.model.empty() ? default_model() : o.model;
  OutputGuard guard;
  guard.input(file);
  guard.output(o.out, io::Product::network);
  Context<Cpu> context({.threads = 1});
  const models::LoadedModel<Cpu> loaded = models::load_model(context, file);
  onnx::ExportOptions options{.input = o.input == "pixels" ? onnx::Input::pixels : onnx::Input::normalized,
                              .normalization = loaded.normalization,
                              .metadata = loaded.metadata};
  io::write_peaks(loaded.peaks, options.metadata);
  const onnx::Exported exported = onnx::to_onnx(*loaded.model, options);
  guard.check_again();
  io::write_atomically(o.out, exported.bytes);
  if (o.json) {
    print_json({{"out", o.out},
                {"format", o.format},
                {"input", o.input},
                {"outputs", exported.outputs},
                {"operators", exported.operators},
                {"bytes", exported.bytes.size()}});
    return 0;
  }
  std::cout << printable(o.out) << '\t' << exported.operators << " operators, " << exported.bytes.size()
            << " bytes; image -> " << exported.outputs.front();
  for (std::size_t i = 1; i < exported.outputs.size(); ++i) std::cout << ", " << exported.outputs[i];
  std::cout << '\n';
  return 0;
}

}  // namespace nucdet::program
