// If a file is truncated while it is mapped, it has no pages behind its new end. Reading there
// raises SIGBUS, and the process would end without a message. The handler says which file it was.
// It calls only functions that are safe in a signal handler.
#include <ATen/ATen.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <mutex>

#include "surface.h"

namespace keel {
namespace {

struct Mapping {
  std::atomic<uintptr_t> begin{0};
  std::atomic<uintptr_t> end{0};
  char path[1024];
};

// Each slot is used once. A file stays mapped as long as any of its tensors lives, and there is no
// notice of the end.
constexpr size_t slots = 4096;
Mapping mappings[slots];
std::atomic<size_t> used{0};

struct sigaction before;

void say(const char* text) {
  // If this fails, nothing else can be done.
  if (write(STDERR_FILENO, text, strlen(text)) < 0) return;
}

void onBusError(int signal, siginfo_t* info, void* context) {
  const auto address = reinterpret_cast<uintptr_t>(info->si_addr);
  const size_t count = used.load(std::memory_order_acquire);
  // The last mapping of an address is the current one.
  for (size_t index = count < slots ? count : slots; index-- > 0;) {
    const Mapping& mapping = mappings[index];
    if (address < mapping.begin.load() || address >= mapping.end.load()) continue;
    say("error: ");
    say(mapping.path);
    say(": the file was truncated while it was in use, so its weights are lost. "
        "Download or save it again, and run the command again. "
        "To resume a training run from its last checkpoint, pass --resume\n");
    _exit(1);
  }
  // Not one of Keel's mappings: call the previous handler.
  if ((before.sa_flags & SA_SIGINFO) != 0 && before.sa_sigaction != nullptr) {
    before.sa_sigaction(signal, info, context);
    return;
  }
  sigaction(SIGBUS, &before, nullptr);
  raise(signal);
}

void listen() {
  struct sigaction action{};
  action.sa_sigaction = onBusError;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, &before);
}

}  // namespace

// dropPages(handle): returns the pages of a tensor in a mapped file, which nothing has written to.
// They are read again when they are used.
napi_value dropPages(napi_env env, const Arguments& args) {
  const at::Tensor& tensor = tensorAt(env, args, 0);
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const auto begin = reinterpret_cast<uintptr_t>(tensor.data_ptr());
  // Pages that belong to neighbours, too, stay.
  const uintptr_t from = (begin + page - 1) / page * page,
                  to = (begin + tensor.nbytes()) / page * page;
  if (from < to) madvise(reinterpret_cast<void*>(from), to - from, MADV_DONTNEED);
  return undefinedValue(env);
}

// nameMapping(handle, path): names the file that backs a mapped tensor, for the signal handler
napi_value nameMapping(napi_env env, const Arguments& args) {
  static std::once_flag once;
  static std::mutex adding;
  std::call_once(once, listen);
  const at::Tensor& tensor = tensorAt(env, args, 0);
  const std::string path = toString(env, args[1]);
  const auto begin = reinterpret_cast<uintptr_t>(tensor.data_ptr());
  // The mapping ends at a page boundary, not at the end of the file.
  const auto page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  const uintptr_t end = (begin + tensor.nbytes() + page - 1) / page * page;
  std::lock_guard<std::mutex> lock(adding);
  const size_t index = used.load();
  if (index >= slots) return undefinedValue(env);
  Mapping& mapping = mappings[index];
  const size_t length = std::min(path.size(), sizeof(mapping.path) - 1);
  memcpy(mapping.path, path.data(), length);
  mapping.path[length] = '\0';
  mapping.begin.store(begin);
  mapping.end.store(end);
  used.store(index + 1, std::memory_order_release);
  return undefinedValue(env);
}

}  // namespace keel
