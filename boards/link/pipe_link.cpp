#include "boards/link/pipe_link.hpp"

#include <memory>

namespace assay {

Result<std::unique_ptr<Link>> PipeLink::start(const ProcessSpec& program, std::string name) {
  ASSAY_TRY(ChildProcess child, ChildProcess::start(program));
  std::unique_ptr<PipeLink> link(new PipeLink(std::move(child), std::move(name)));
  ASSAY_CHECK(link->attach(link->child_.output(), link->child_.input()));
  return link;
}

}  // namespace assay
