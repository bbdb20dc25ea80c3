#include "thread-pool.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <thread>
#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace meditron::pool {
namespace {

constexpr int kMostThreads = 256;
constexpr int kSlots = 8;
constexpr size_t kHugePage = size_t{2} << 20;

void relax() {
#if defined(__SSE__)
  _mm_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// Denormal numbers count as zero while a job runs: gradients that small mean nothing and would cost a hundred times as much.
// The caller's mode is put back afterwards, since JavaScript needs them.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : saved_(_mm_getcsr()) { _mm_setcsr(saved_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(saved_); }

 private:
  unsigned saved_;
#else
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif
};

struct State {
  std::mutex turn;
  int threads = 0;  // 0: not asked yet
  int started = 0;  // workers running

  // One job, written before its ticket and left alone until all its parts are done. The ticket holds generation, number of parts and the
  // next part to take (32, 16, 16 bits): who takes a part of it has seen the job, and keeps it alive until that part is done.
  Job job = nullptr;
  void* context = nullptr;
  std::atomic<int> active{1};                       // threads that may take parts
  alignas(64) std::atomic<uint64_t> ticket{0};
  alignas(64) std::atomic<uint32_t> generation{0};  // what workers wait for
  alignas(64) std::atomic<uint32_t> done{0};        // parts

  struct Buffer {
    void* data = nullptr;
    size_t bytes = 0;
  };
  Buffer shared[kSlots];
  Buffer own[kSlots][kMostThreads];
};

// Never destroyed: workers may still be asleep in it when the process ends.
State& state() {
  static State* const s = new State;
  return *s;
}

constexpr int kMostParts = 0xffff;

// Takes parts of the current job until none is left.
void take_parts(State& s, int thread) {
  uint64_t ticket = s.ticket.load(std::memory_order_acquire);
  for (;;) {
    const int parts = static_cast<int>(ticket >> 16 & 0xffff), part = static_cast<int>(ticket & 0xffff);
    if (part >= parts) return;
    if (!s.ticket.compare_exchange_weak(ticket, ticket + 1, std::memory_order_acq_rel, std::memory_order_acquire)) continue;
    s.job(s.context, part, parts, thread);
    s.done.fetch_add(1, std::memory_order_release);
    ticket = s.ticket.load(std::memory_order_acquire);
  }
}

void work(int id, uint32_t seen) {
  State& s = state();
  for (;;) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(50);
    while (s.generation.load(std::memory_order_acquire) == seen) {
      for (int i = 0; i < 64; i++) relax();
      if (std::chrono::steady_clock::now() > until) s.generation.wait(seen, std::memory_order_acquire);
    }
    seen = s.generation.load(std::memory_order_acquire);
    if (id < s.active.load(std::memory_order_relaxed)) {
      const FlushDenormals flush;
      take_parts(s, id);
    }
  }
}

void* grow(State::Buffer& buffer, size_t bytes) {
  if (bytes <= buffer.bytes) return buffer.data;
  if (buffer.data) unmap_memory(buffer.data, buffer.bytes);
  buffer.bytes = bytes + bytes / 4;
  buffer.data = map_memory(buffer.bytes);
  if (!buffer.data) {
    std::fprintf(stderr, "meditron: out of memory: a kernel needs %zu bytes of scratch; use a smaller batch\n", buffer.bytes);
    std::abort();
  }
  return buffer.data;
}

#if defined(__linux__)
// The first CPU sharing a core with `cpu`, which stands for the core.
int first_sibling(int cpu) {
  char path[96];
  std::snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
  int first = cpu;
  if (FILE* file = std::fopen(path, "r")) {
    if (std::fscanf(file, "%d", &first) != 1) first = cpu;
    std::fclose(file);
  }
  return first;
}

// CPUs the container may use at once (cgroup v2), or a large number.
int quota() {
  int cpus = kMostThreads;
  if (FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
    long long most = 0, period = 0;
    if (std::fscanf(file, "%lld %lld", &most, &period) == 2 && period > 0) cpus = static_cast<int>((most + period - 1) / period);
    std::fclose(file);
  }
  return cpus > 0 ? cpus : 1;
}
#endif

}  // namespace

int default_threads() {
  int cores = 0;
#if defined(__linux__)
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) {
    bool seen[CPU_SETSIZE] = {};
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
      if (!CPU_ISSET(cpu, &allowed)) continue;
      const int core = first_sibling(cpu);
      if (core < 0 || core >= CPU_SETSIZE || seen[core]) continue;
      seen[core] = true;
      cores++;
    }
  }
  if (const int most = quota(); cores > most) cores = most;
#endif
  if (cores == 0) cores = static_cast<int>(std::thread::hardware_concurrency());
  return cores < 1 ? 1 : cores > kMostThreads ? kMostThreads : cores;
}

int threads() {
  State& s = state();
  if (s.threads == 0) s.threads = default_threads();
  return s.threads;
}

void set_threads(int n) { state().threads = n < 1 ? 1 : n > kMostThreads ? kMostThreads : n; }

Turn::Turn() { state().turn.lock(); }
Turn::~Turn() { state().turn.unlock(); }

void run(Job job, void* context, int parts) {
  State& s = state();
  const FlushDenormals flush;
  if (parts <= 1 || threads() == 1) {
    for (int part = 0; part < parts; part++) job(context, part, parts, 0);
    return;
  }
  if (parts > kMostParts) std::abort();  // no kernel cuts so finely
  while (s.started < threads() - 1) {
    const int id = ++s.started;
    std::thread(work, id, s.generation.load(std::memory_order_relaxed)).detach();
  }
  s.job = job;
  s.context = context;
  s.active.store(threads(), std::memory_order_relaxed);
  s.done.store(0, std::memory_order_relaxed);
  const uint32_t next = s.generation.load(std::memory_order_relaxed) + 1;
  s.ticket.store(static_cast<uint64_t>(next) << 32 | static_cast<uint64_t>(parts) << 16, std::memory_order_release);
  s.generation.store(next, std::memory_order_release);
  s.generation.notify_all();
  take_parts(s, 0);
  // What is left has been begun by others. The processor is given away now and then: they may need this one.
  for (int spins = 1; s.done.load(std::memory_order_acquire) != static_cast<uint32_t>(parts); spins++) {
    relax();
    if (spins % 256 == 0) std::this_thread::yield();
  }
}

void* shared(Slot slot, size_t bytes) { return grow(state().shared[static_cast<int>(slot)], bytes); }
void* own(Slot slot, int thread, size_t bytes) { return grow(state().own[static_cast<int>(slot)][thread], bytes); }

void* map_memory(size_t bytes) {
  void* const memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (bytes >= kHugePage) madvise(memory, bytes, MADV_HUGEPAGE);
#endif
  return memory;
}

void unmap_memory(void* memory, size_t bytes) { munmap(memory, bytes); }

}  // namespace meditron::pool
