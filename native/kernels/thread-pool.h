// A fork-join pool: the caller and n - 1 workers run the same function, each on its part.
//
// Workers spin for about 50 µs after a job, since the next kernel usually follows at once, and then sleep. They are never
// joined: the process may end while they sleep. One kernel runs at a time; callers on other threads wait their turn (`Turn`).
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

using Job = void (*)(void* context, int thread, int threads);
// Runs job on the caller (thread 0) and on threads - 1 workers, and returns when all are done.
void run(Job job, void* context, int threads);
// Waits inside a job until all its threads have come.
void barrier();

template <class Body>
void parallel(int threads, Body body) {
  run([](void* context, int thread, int n) { (*static_cast<Body*>(context))(thread, n); }, &body, threads);
}

// body(begin, end) or body(begin, end, thread) on consecutive parts of [0, n), none smaller than `grain`: less work is not worth
// waking a worker.
template <class Body>
void parallel_range(int64_t n, int64_t grain, Body body) {
  int64_t parts = grain > 0 ? n / grain : n;
  if (parts > threads()) parts = threads();
  if (parts < 1) parts = 1;
  parallel(static_cast<int>(parts), [&](int thread, int count) {
    if constexpr (requires { body(n, n, thread); }) body(n * thread / count, n * (thread + 1) / count, thread);
    else body(n * thread / count, n * (thread + 1) / count);
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
