/*
 * N submitters take K pieces each from a set of M elements. They submit a piece only when they have
 * all, or, with SUBMIT_FIRST, before they take the next. A piece in flight comes back by itself.
 */
#ifndef N
#define N 2
#endif
#ifndef K
#define K 2
#endif
#ifndef M
#define M 2
#endif

byte set = M;
bool in_flight[N * K];

#ifdef SUBMIT_FIRST
#define MAY_TAKE (taken == given)
#define MAY_SUBMIT (taken > given)
#else
#define MAY_TAKE true
#define MAY_SUBMIT (taken == K)
#endif
#define SUBMIT in_flight[_pid * K + given] = true; given++

active [N] proctype submitter() {
  byte taken, given;
  do
  :: atomic { MAY_TAKE && taken < K && set > 0 -> set--; taken++ }
  :: atomic { MAY_SUBMIT && given < K - 1 -> SUBMIT }
  :: atomic { MAY_SUBMIT && given == K - 1 -> SUBMIT; break }
  od;
end_of_submitter:
  false
}

active [N * K] proctype completion() {
  atomic { in_flight[_pid - N] -> set++ };
end_of_completion:
  false
}
