// Puts quantised matrices into a checkpoint in memory, under the convention's names
// (formats/stored_matrix.h).
#pragma once

#include <string>

#include "compress/quantize/embedding_rows.h"
#include "formats/edited_checkpoint.h"
#include "quant/int4.h"
#include "quant/int8.h"

namespace hone::compress {

void SetInt8(const std::string& module, const quant::Int8Matrix& matrix,
             formats::EditedCheckpoint* checkpoint);
void SetInt4(const std::string& module, const quant::Int4Matrix& matrix,
             formats::EditedCheckpoint* checkpoint);
void SetInt4Rows(const std::string& module, int rows, int width, const Int4Rows& table,
                 formats::EditedCheckpoint* checkpoint);

}  // namespace hone::compress
