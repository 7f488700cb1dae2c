// LibTorch's ProcessGroupGloo.hpp includes Gloo's headers, which its wheels do not contain. Only
// pointers to Gloo's types cross from LibTorch to Keel, so these headers declare what that header
// names, and no more.
#pragma once
#include <chrono>
#include <memory>

namespace gloo {
class Context {
 public:
  void setTimeout(std::chrono::milliseconds timeout);
};
}  // namespace gloo
