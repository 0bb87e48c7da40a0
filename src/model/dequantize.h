// A stored matrix as plain f32 [N,K], whatever it is stored as.
//
//   kFloat  widened     kInt8  scale[n] · q[n,k]     kInt4  scale[n,g] · (q[n,k] - zero[n,g])
//   q and zero of kInt4 lie eight to a 32-bit word, lowest nibble first; without zeros, zero is 8.
#pragma once

#include <span>
#include <vector>

#include "formats/checkpoint.h"

namespace hone::model {

std::vector<float> Dequantize(const formats::StoredMatrix& matrix);
// Row n of the matrix; out.size() == matrix.k.
void DequantizeRow(const formats::StoredMatrix& matrix, int n, std::span<float> out);

}  // namespace hone::model
