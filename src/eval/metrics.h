// Metrics of classes and scores, as fractions (0.8672, not 86.72).
//
// Inputs  two spans of one length n ≥ 1 (a CHECK). Labels are ≥ 0; a prediction of -1 (none) is
//         wrong.
// Checked against scikit-learn and scipy by tests/golden/eval.
#pragma once

#include <span>
#include <vector>

namespace hone::eval {

// (number of equal pairs) / n
double Accuracy(std::span<const int> expected, std::span<const int> predicted);

// F1 of class 1:  2·tp / (2·tp + fp + fn), and 0 when that is 0/0.
double BinaryF1(std::span<const int> expected, std::span<const int> predicted);

// Matthews correlation over any number of classes (Gorodkin 2004), 0 where a side has one class
// only:
//   (c·n - Σ t_k p_k) / sqrt((n² - Σ p_k²)(n² - Σ t_k²))   c correct, t_k, p_k counts of class k
double Matthews(std::span<const int> expected, std::span<const int> predicted);

// Σ (x-x̄)(y-ȳ) / sqrt(Σ (x-x̄)² Σ (y-ȳ)²), NaN where a side is constant.
double Pearson(std::span<const double> x, std::span<const double> y);

// Pearson of the ranks; equal values share the mean of their ranks.
double Spearman(std::span<const double> x, std::span<const double> y);

// Ranks from 1, as Spearman uses them. A NaN ranks above everything.
std::vector<double> Ranks(std::span<const double> values);

}  // namespace hone::eval
