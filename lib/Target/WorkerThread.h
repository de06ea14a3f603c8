//===- WorkerThread.h - a thread in someone else's process ------*- C++ -*-===//
#ifndef MORTAR_LIB_TARGET_WORKERTHREAD_H
#define MORTAR_LIB_TARGET_WORKERTHREAD_H

#include <functional>
#include <pthread.h>

namespace mortar {

/// Runs `work` in a thread, or at once where the process gets no more of them. None of the
/// host's signals is handled there, and the stack is as deep as a main thread's, whatever
/// the host's default. Ends with the work.
class WorkerThread {
public:
  explicit WorkerThread(std::function<void()> work);
  ~WorkerThread();
  WorkerThread(const WorkerThread &) = delete;
  WorkerThread &operator=(const WorkerThread &) = delete;

private:
  std::function<void()> work;
  pthread_t thread;
  bool isRunning = false;
};

} // namespace mortar

#endif // MORTAR_LIB_TARGET_WORKERTHREAD_H
