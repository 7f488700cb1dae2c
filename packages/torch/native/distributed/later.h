// Work that waits for other processes runs on another thread; JavaScript gets a promise.
#pragma once
#include <functional>
#include <string>
#include <variant>

#include "../entry.h"

namespace keel {

using LaterResult = std::variant<std::monostate, bool, double, std::string>;

// Runs `wait` on another thread, then `finish` on JavaScript's. The promise is resolved with what
// `wait` returns, or rejected with an Error that has the exception's message.
napi_value later(napi_env env, const char* name, std::function<LaterResult()> wait,
                 std::function<void()> finish = nullptr);

}  // namespace keel
