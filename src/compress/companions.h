// The files of a model directory beside config.json and the weights: tokenizer, module folders, notes.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"
#include "env/file.h"
#include "formats/artefact.h"

namespace hone::compress {

// Copies the small files at the top, and the folders that modules.json names with their own small
// weights. Where the encoder has a folder of its own ("0_Transformer"), its files come to the top as
// well, and modules.json says so. `omit` names files ("modules.json") and folders ("1_Pooling") to leave
// out.
base::Status CopyCompanions(env::FileSystem& files, const std::string& in,
                            std::span<const std::string> omit, formats::ArtefactWriter* artefact);

// "models/minilm/" → "minilm": how an artefact names its source.
std::string LastComponent(std::string_view path);

}  // namespace hone::compress
