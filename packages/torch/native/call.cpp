// The boxed operator call: every operator of the dispatcher by its schema.
#include <chrono>
#include <sstream>

#include "surface.h"

namespace keel {
namespace {

using Stack = std::vector<c10::IValue>;

// The operator's arguments start at `first` in the call's. Missing ones get the schema's default.
void convertArguments(napi_env env, const Arguments& args, size_t first, const Operator& op,
                      Stack& stack) {
  const auto& schema = op.handle.schema();
  const size_t given = args.count - first;
  if (given > op.argumentCount)
    throw std::runtime_error(std::to_string(given) + " arguments are too many: expected " +
                             std::to_string(op.argumentCount));
  stack.reserve(std::max(op.argumentCount, op.returnCount));
  for (size_t i = 0; i < op.argumentCount; ++i) {
    const auto& argument = schema.arguments()[i];
    if (i < given && !isAbsent(env, args[first + i])) {
      try {
        stack.push_back(toIValue(env, args[first + i], argument.real_type()));
      } catch (const c10::Error& error) {
        throw std::runtime_error("argument \"" + argument.name() +
                                 "\": " + error.what_without_backtrace());
      } catch (const std::exception& error) {
        throw std::runtime_error("argument \"" + argument.name() + "\": " + error.what());
      }
    } else if (argument.default_value().has_value()) {
      stack.push_back(*argument.default_value());
    } else if (argument.real_type()->kind() == c10::TypeKind::OptionalType) {
      stack.emplace_back();
    } else {
      throw std::runtime_error("argument \"" + argument.name() + "\" is missing");
    }
  }
}

// "aten::mm(self: [2, 3] float32, mat2: disposed): ", from the JavaScript arguments, since the
// dispatcher may have consumed the stack.
std::string callContext(napi_env env, const Arguments& args, size_t first, const Operator& op) {
  const auto& schema = op.handle.schema();
  std::string text = schema.name();
  if (!schema.overload_name().empty()) text += '.' + schema.overload_name();
  text += '(';
  bool begun = false;
  for (size_t i = 0; i < op.argumentCount && first + i < args.count; ++i) {
    if (isAbsent(env, args[first + i])) continue;
    text += (begun ? ", " : "") + schema.arguments()[i].name() + ": ";
    begun = true;
    try {
      text += describe(toIValue(env, args[first + i], schema.arguments()[i].real_type()));
    } catch (const std::exception&) {
      text += '?';
    }
  }
  return text + "): ";
}

const Operator& operatorAt(napi_env env, const Arguments& args) {
  const auto& operators = instance(env).operators;
  const double index = toNumber(env, args[0]);
  if (!(index >= 0 && index < static_cast<double>(operators.size())))
    throw std::runtime_error("no such operator");
  return operators[static_cast<size_t>(index)];
}

napi_value results(napi_env env, const Stack& stack) {
  if (stack.empty()) return undefinedValue(env);
  if (stack.size() == 1) return fromIValue(env, stack[0]);
  napi_value list;
  check(env, napi_create_array_with_length(env, stack.size(), &list));
  for (size_t i = 0; i < stack.size(); ++i)
    check(env, napi_set_element(env, list, static_cast<uint32_t>(i), fromIValue(env, stack[i])));
  return list;
}

// Runs `body(args, operator)`, with errors that name the operator and its arguments.
template <typename Body>
napi_value withOperator(napi_env env, napi_callback_info info, size_t first, Body body) {
  std::optional<Arguments> args;
  const Operator* op = nullptr;
  return guarded(
      env,
      [&] {
        args.emplace(env, info);
        op = &operatorAt(env, *args);
        return body(*args, *op);
      },
      [&] { return op ? callContext(env, *args, first, *op) : std::string("call: "); });
}

}  // namespace

// findOperator(name, overload) -> index for call()
napi_value findOperator(napi_env env, const Arguments& args) {
  const std::string name = toString(env, args[0]);
  const std::string overload = toString(env, args[1]);
  auto handle = c10::Dispatcher::singleton().findSchemaOrThrow(name.c_str(), overload.c_str());
  const auto& schema = handle.schema();
  auto& operators = instance(env).operators;
  operators.push_back({handle, schema.arguments().size(), schema.returns().size()});
  return fromNumber(env, static_cast<double>(operators.size() - 1));
}

// call(operator, ...arguments) -> handle | number | array of them
napi_value call(napi_env env, napi_callback_info info) {
  return withOperator(env, info, 1, [&](const Arguments& args, const Operator& op) {
    Stack stack;
    convertArguments(env, args, 1, op, stack);
    op.handle.callBoxed(stack);
    return results(env, stack);
  });
}

// timeCall(operator, count, ...arguments) -> nanoseconds per call, without JavaScript and
// conversion
napi_value timeCall(napi_env env, napi_callback_info info) {
  return withOperator(env, info, 2, [&](const Arguments& args, const Operator& op) {
    const int64_t count = toInteger(env, args[1]);
    if (count < 1) throw std::runtime_error("the count must be at least 1");
    Stack given;
    convertArguments(env, args, 2, op, given);
    const auto nanoseconds = [&](auto body) {
      const auto start = std::chrono::steady_clock::now();
      for (int64_t i = 0; i < count; ++i) {
        Stack stack = given;
        body(stack);
        stack.clear();  // real calls free their results, too
      }
      const std::chrono::duration<double, std::nano> time =
          std::chrono::steady_clock::now() - start;
      return time.count() / static_cast<double>(count);
    };
    const double copying = nanoseconds([](Stack&) {});
    return fromNumber(env,
                      nanoseconds([&](Stack& stack) { op.handle.callBoxed(stack); }) - copying);
  });
}

// schemas(name) -> [{overload, schema, arguments: [{name, type, hasDefault, keywordOnly}], returns:
// [type]}]
napi_value schemas(napi_env env, const Arguments& args) {
  const std::string wanted = toString(env, args[0]);
  napi_value list;
  check(env, napi_create_array(env, &list));
  uint32_t count = 0;
  for (const auto& name : c10::Dispatcher::singleton().getAllOpNames()) {
    if (name.name != wanted) continue;
    const auto op = c10::Dispatcher::singleton().findSchema(name);
    if (!op) continue;
    napi_value entry, arguments, returns;
    check(env, napi_create_object(env, &entry));
    check(env, napi_create_array(env, &arguments));
    check(env, napi_create_array(env, &returns));
    std::ostringstream text;
    text << op->schema();
    check(env,
          napi_set_named_property(env, entry, "overload", fromString(env, name.overload_name)));
    check(env, napi_set_named_property(env, entry, "schema", fromString(env, text.str())));
    uint32_t i = 0;
    for (const auto& argument : op->schema().arguments()) {
      napi_value one;
      check(env, napi_create_object(env, &one));
      check(env, napi_set_named_property(env, one, "name", fromString(env, argument.name())));
      check(env, napi_set_named_property(env, one, "type",
                                         fromString(env, argument.real_type()->str())));
      check(env, napi_set_named_property(env, one, "hasDefault",
                                         fromBool(env, argument.default_value().has_value())));
      check(env,
            napi_set_named_property(env, one, "keywordOnly", fromBool(env, argument.kwarg_only())));
      check(env, napi_set_element(env, arguments, i++, one));
    }
    i = 0;
    for (const auto& result : op->schema().returns())
      check(env, napi_set_element(env, returns, i++, fromString(env, result.real_type()->str())));
    check(env, napi_set_named_property(env, entry, "arguments", arguments));
    check(env, napi_set_named_property(env, entry, "returns", returns));
    check(env, napi_set_element(env, list, count++, entry));
  }
  return list;
}

}  // namespace keel
