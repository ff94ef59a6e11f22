/* N philosophers: each takes the fork on its left, then the one on its right, and lays both back. */
#ifndef N
#define N 3
#endif

bool taken[N];

#define LEFT _pid
#define RIGHT ((_pid + 1) % N)
#define TAKE(fork) atomic { !taken[fork] -> taken[fork] = true }

active [N] proctype philosopher() {
  TAKE(LEFT);
  TAKE(RIGHT);
  taken[RIGHT] = false;
  taken[LEFT] = false;
end_of_meal:
  false
}
