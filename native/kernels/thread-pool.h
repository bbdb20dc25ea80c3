// A fork-join pool: the caller and n - 1 workers take the parts of a job one after another until none is left.
//
// Nobody waits for a worker that has not begun: where cores are shared with other programs, one that the system holds back simply gets
// fewer parts. (With fixed shares and barriers, a loaded machine made every kernel wait for a time slice.) Workers spin for about 50 µs
// after a job, since the next kernel usually follows at once, and then sleep. They are never joined: the process may end while they
// sleep. One kernel runs at a time; callers on other threads wait their turn (`Turn`).
// How work is cut may depend on the number of threads, what is computed for an output may not.
#pragma once
#include <cstddef>
#include <cstdint>

namespace meditron::pool {

// Threads the next kernel will use. Starts at default_threads().
int threads();
void set_threads(int n);
// Physical cores this process may use: affinity, hyper-threads and the container's CPU quota respected.
int default_threads();

// Held by a binding for the whole of one kernel, so that two JavaScript threads cannot mix their jobs or their scratch.
class Turn {
 public:
  Turn();
  ~Turn();
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
};

// Parts a thread should find, so that a late one leaves something to the others.
constexpr int kPartsPerThread = 4;

using Job = void (*)(void* context, int part, int parts, int thread);
// Runs job for each part on the caller (thread 0) and the workers (threads 1, 2 ...), and returns when all parts are done. Parts start in
// order; a thread has one at a time, so scratch of its own is safe.
void run(Job job, void* context, int parts);

// body(part, parts, thread)
template <class Body>
void parallel(int parts, Body body) {
  run([](void* context, int part, int n, int thread) { (*static_cast<Body*>(context))(part, n, thread); }, &body, parts);
}

// body(begin, end) or body(begin, end, thread) on consecutive parts of [0, n), none smaller than `grain`: less work is not worth
// waking a worker.
template <class Body>
void parallel_range(int64_t n, int64_t grain, Body body) {
  const int64_t most = threads() == 1 ? 1 : threads() * kPartsPerThread;
  int64_t parts = grain > 0 ? n / grain : n;
  if (parts > most) parts = most;
  if (parts < 1) parts = 1;
  parallel(static_cast<int>(parts), [&](int part, int count, int thread) {
    if constexpr (requires { body(n, n, thread); }) body(n * part / count, n * (part + 1) / count, thread);
    else body(n * part / count, n * (part + 1) / count);
  });
}

// Memory that a kernel needs besides its arguments. It grows to the largest need and is kept, so that steady training
// allocates nothing. `shared` is one buffer per slot; `own` one per slot and thread. 64-byte aligned, contents undefined.
enum class Slot : int { packed_a, packed_b, attention, logits, gathered, partials, converted, thin };
void* shared(Slot slot, size_t bytes);
void* own(Slot slot, int thread, size_t bytes);

// Memory straight from the system, zeroed, on huge pages where the system gives them; nullptr when there is none.
void* map_memory(size_t bytes);
void unmap_memory(void* memory, size_t bytes);

}  // namespace meditron::pool
