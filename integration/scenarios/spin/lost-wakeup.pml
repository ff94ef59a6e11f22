/* N waiters look at a condition and then sleep, whatever has happened in between. */
#ifndef N
#define N 1
#endif

bool condition;
byte queue;

#define MINE (1 << _pid)

active [N] proctype waiter() {
  atomic {
    if
    :: condition -> goto end_of_wait
    :: else
    fi
  };
  queue = queue | MINE;
  (queue & MINE) == 0;
end_of_wait:
  false
}

active proctype waker() {
  condition = true;
  queue = 0;
end_of_waker:
  false
}
