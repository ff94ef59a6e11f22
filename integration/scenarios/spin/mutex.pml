/* N tasks take one lock and give it back. */
#ifndef N
#define N 3
#endif

bool locked;

active [N] proctype task() {
  atomic { !locked -> locked = true };
  locked = false;
end_of_task:
  false
}
