#include "later.h"

namespace keel {
namespace {

struct Job {
  std::function<LaterResult()> wait;
  std::function<void()> finish;
  napi_deferred deferred = nullptr;
  napi_async_work work = nullptr;
  LaterResult result;
  std::string error;
  bool failed = false;
};

template <typename Body>
void attempt(Job& job, Body body) {
  try {
    body();
  } catch (const c10::Error& error) {
    job.failed = true;
    job.error = error.what_without_backtrace();
  } catch (const std::exception& error) {
    job.failed = true;
    job.error = error.what();
  } catch (...) {
    job.failed = true;
    job.error = "unknown C++ exception";
  }
}

napi_value valueOf(napi_env env, const LaterResult& result) {
  if (const auto* flag = std::get_if<bool>(&result)) return fromBool(env, *flag);
  if (const auto* number = std::get_if<double>(&result)) return fromNumber(env, *number);
  if (const auto* text = std::get_if<std::string>(&result)) return fromString(env, *text);
  return undefinedValue(env);
}

void settle(napi_env env, napi_status, void* data) {
  const std::unique_ptr<Job> job(static_cast<Job*>(data));
  napi_delete_async_work(env, job->work);
  if (!job->failed && job->finish) attempt(*job, [&] { job->finish(); });
  napi_value value = nullptr;
  if (job->failed) {
    napi_value message = nullptr;
    napi_create_string_utf8(env, job->error.data(), job->error.size(), &message);
    napi_create_error(env, nullptr, message, &value);
    napi_reject_deferred(env, job->deferred, value);
    return;
  }
  attempt(*job, [&] { value = valueOf(env, job->result); });
  napi_resolve_deferred(env, job->deferred, value);
}

}  // namespace

napi_value later(napi_env env, const char* name, std::function<LaterResult()> wait,
                 std::function<void()> finish) {
  auto job = std::make_unique<Job>();
  job->wait = std::move(wait);
  job->finish = std::move(finish);
  napi_value promise, resource;
  check(env, napi_create_promise(env, &job->deferred, &promise));
  check(env, napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &resource));
  const auto run = [](napi_env, void* data) {
    Job& own = *static_cast<Job*>(data);
    attempt(own, [&] { own.result = own.wait(); });
  };
  check(env, napi_create_async_work(env, nullptr, resource, run, settle, job.get(), &job->work));
  check(env, napi_queue_async_work(env, job->work));
  job.release();
  return promise;
}

}  // namespace keel
