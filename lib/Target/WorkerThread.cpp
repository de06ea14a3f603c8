//===- WorkerThread.cpp - a thread in someone else's process --------------===//

#include "WorkerThread.h"

#include <csignal>

using namespace mortar;

/// What compiling takes (see mortar-c/Compiler.h).
static constexpr size_t stackBytes = 8 << 20;

WorkerThread::WorkerThread(std::function<void()> given) : work(std::move(given)) {
  // A handler of the host's may count on a thread that the host made. What a fault raises
  // goes to the thread that faults, and ends the process where it is blocked.
  sigset_t blocked, before;
  sigfillset(&blocked);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS})
    sigdelset(&blocked, fault);
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) == 0) {
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
    isRunning = pthread_attr_setstacksize(&attributes, stackBytes) == 0 &&
                pthread_create(
                    &thread, &attributes,
                    [](void *self) -> void * {
                      static_cast<WorkerThread *>(self)->work();
                      return nullptr;
                    },
                    this) == 0;
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    pthread_attr_destroy(&attributes);
  }
  if (!isRunning)
    work();
}

WorkerThread::~WorkerThread() {
  if (isRunning)
    pthread_join(thread, nullptr);
}
