// The functions exposed to JavaScript, as declared in native.ts.
#pragma once
#include "entry.h"

namespace keel {

// Operators: call.cpp
napi_value call(napi_env env, napi_callback_info info);
napi_value timeCall(napi_env env, napi_callback_info info);
napi_value findOperator(napi_env env, const Arguments& args);
napi_value schemas(napi_env env, const Arguments& args);

// Tensors: tensors.cpp
napi_value dispose(napi_env env, const Arguments& args);
napi_value disposeAll(napi_env env, const Arguments& args);
napi_value alive(napi_env env, const Arguments& args);
napi_value shape(napi_env env, const Arguments& args);
napi_value strides(napi_env env, const Arguments& args);
napi_value scalarType(napi_env env, const Arguments& args);
napi_value device(napi_env env, const Arguments& args);
napi_value requiresGrad(napi_env env, const Arguments& args);
napi_value setRequiresGrad(napi_env env, const Arguments& args);
napi_value setAllocated(napi_env env, const Arguments& args);
napi_value fromBytes(napi_env env, const Arguments& args);
napi_value toBytes(napi_env env, const Arguments& args);
napi_value item(napi_env env, const Arguments& args);

// The signal handler's message about mapped files: mapped_files.cpp
napi_value nameMapping(napi_env env, const Arguments& args);
napi_value dropPages(napi_env env, const Arguments& args);

// Processes that train together: distributed/groups.cpp
napi_value distributedBackends(napi_env env, const Arguments& args);
napi_value storeOpen(napi_env env, const Arguments& args);
napi_value storeSet(napi_env env, const Arguments& args);
napi_value storeGet(napi_env env, const Arguments& args);
napi_value storeHas(napi_env env, const Arguments& args);
napi_value groupOpen(napi_env env, const Arguments& args);
napi_value groupCall(napi_env env, const Arguments& args);
napi_value groupCallNow(napi_env env, const Arguments& args);
napi_value groupClose(napi_env env, const Arguments& args);

// Gradients that are sent while backward runs: distributed/exchange.cpp
napi_value exchangeOpen(napi_env env, const Arguments& args);
napi_value exchangeBegin(napi_env env, const Arguments& args);
napi_value exchangeEnd(napi_env env, const Arguments& args);
napi_value exchangeLaunch(napi_env env, const Arguments& args);
napi_value exchangeNext(napi_env env, const Arguments& args);
napi_value exchangeWait(napi_env env, const Arguments& args);
napi_value exchangeFailure(napi_env env, const Arguments& args);
napi_value exchangeTake(napi_env env, const Arguments& args);
napi_value exchangeClose(napi_env env, const Arguments& args);

// Profiles: profiler.cpp
napi_value profileStart(napi_env env, const Arguments& args);
napi_value profileRange(napi_env env, const Arguments& args);
napi_value profileRangeEnd(napi_env env, const Arguments& args);
napi_value profileStop(napi_env env, const Arguments& args);

}  // namespace keel
