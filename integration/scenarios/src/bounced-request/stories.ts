import type { Story } from "../story.ts";
import * as mutants from "./mutants.ts";
import { noRecord, readByCopy, secondBioFails } from "./ways-out.ts";
import {
  allBeforeAny,
  inPieces,
  mayFail,
  oneBioEach,
  originalsFromTheSet,
  triesAgainAtOnce,
} from "./whole-requests.ts";

/** What devices are given with `bounce_pfn` in the way: enough for 64 pages. */
const KERNEL_PAGES = 64;

export const STORIES: Readonly<Record<string, Story>> = {
  "general-set": {
    expect: "DEADLOCK",
    summary: "a request of 3 bios from the general set, which has 2, and none is in flight yet",
    build: (world) => {
      originalsFromTheSet(world, 3);
    },
  },
  "heap-originals": {
    expect: "DEADLOCK",
    summary: "M9a: the bios are of the heap now, and what stands in for them still is not",
    build: (world) => {
      allBeforeAny(world, { mappers: 1, bios: 3, standIns: 2 });
    },
  },
  "three-in-reserve": {
    expect: "ok",
    summary: "the same with 3 in reserve: right for one mapper",
    build: (world) => {
      allBeforeAny(world, { mappers: 1, bios: 3, standIns: 3 });
    },
  },
  "all-before-any": {
    expect: "DEADLOCK",
    summary: "two mappers of 3 bios each, 4 in reserve: each has 2 and waits for another",
    strategy: "dpor",
    build: (world) => {
      allBeforeAny(world, { mappers: 2, bios: 3, standIns: 4 });
    },
  },
  "pool-by-rule": {
    expect: "ok",
    summary: "5 in reserve, N (k - 1) + 1: whatever they do, one of them has all it wants",
    dedupe: "states",
    build: (world) => {
      allBeforeAny(world, { mappers: 2, bios: 3, standIns: 5 });
    },
  },
  "two-per-cpu": {
    expect: "DEADLOCK",
    summary:
      "M9b: 2 in reserve for the one CPU there is; but it is tasks that sleep, and there are 2",
    strategy: "dpor",
    build: (world) => {
      allBeforeAny(world, { mappers: 2, bios: 2, standIns: 2 });
    },
  },
  "in-pieces": {
    expect: "ok",
    summary: "each bio ends before the next is bounced: one in reserve is enough for both mappers",
    strategy: "dpor",
    build: (world) => {
      inPieces(world, { mappers: 2, bios: 2, standIns: 1, pages: 1 });
    },
  },
  "may-fail": {
    expect: "ok",
    summary: "who cannot bounce all lets go of all, and goes on with the half of it",
    dedupe: "states",
    build: (world) => {
      mayFail(world, { mappers: 2, bios: 2, standIns: 2 });
    },
  },
  "tries-again-at-once": {
    expect: "LIVELOCK",
    summary: "who cannot bounce all lets go of all, and tries the same again",
    build: (world) => {
      triesAgainAtOnce(world, 3);
    },
  },
  "65-pages": {
    expect: "DEADLOCK",
    summary: "one bio of 65 pages and 64 in reserve: it waits for its own, inside of one bounce",
    build: (world) => {
      oneBioEach(world, { tasks: 1, each: 65, standIns: 2, pages: KERNEL_PAGES });
    },
  },
  "65-pages-many-bios": {
    expect: "DEADLOCK",
    summary: "M10: the same with 20 stand-ins, of which one is used",
    build: (world) => {
      oneBioEach(world, { tasks: 1, each: 65, standIns: 20, pages: KERNEL_PAGES });
    },
  },
  "65-pages-may-fail": {
    expect: "ok",
    summary: "the same 65 pages, in requests that may fail and become smaller",
    build: (world) => {
      mayFail(world, { mappers: 1, bios: 65, isOneBio: true, standIns: 2, pages: KERNEL_PAGES });
    },
  },
  "two-tasks-4-pages": {
    expect: "DEADLOCK",
    summary: "two tasks with a bio of 3 pages each, 4 in reserve: each has 2",
    strategy: "dpor",
    build: (world) => {
      oneBioEach(world, { tasks: 2, each: 3, standIns: 2, pages: 4 });
    },
  },
  "two-tasks-5-pages": {
    expect: "ok",
    summary: "the same by the rule: 5",
    strategy: "dpor",
    build: (world) => {
      oneBioEach(world, { tasks: 2, each: 3, standIns: 2, pages: 5 });
    },
  },
  "two-tasks-in-turn": {
    expect: "ok",
    summary: "3 pages are enough when one task at a time takes what it needs",
    strategy: "dpor",
    build: (world) => {
      oneBioEach(world, { tasks: 2, each: 3, standIns: 1, pages: 3, inTurn: true });
    },
  },
  "second-fails": {
    expect: "ok",
    summary: "the second of three bios cannot be bounced: all is as it was",
    build: (world) => {
      secondBioFails(world);
    },
  },
  "second-fails-no-tail": {
    expect: "LEAK",
    summary: "M11a: the bios behind the one that failed are lost",
    build: (world) => {
      secondBioFails(world, mutants.ForgetsTheTail);
    },
  },
  "second-fails-no-original": {
    expect: "LEAK",
    summary: "M11b: of the first, only the stand-in is put; its page is lost",
    build: (world) => {
      secondBioFails(world, mutants.ForgetsTheOriginal);
    },
  },
  "second-fails-by-hand": {
    expect: "WRONG",
    summary:
      "M11c: the first is called back without an error: what nobody read is copied to the reader",
    build: (world) => {
      secondBioFails(world, mutants.CallsBackByHand);
    },
  },
  "read-by-copy": {
    expect: "ok",
    summary: "three bios read into a copy, and end in any order, well or badly",
    build: (world) => {
      readByCopy(world);
    },
  },
  "last-bio-decides": {
    expect: "WRONG",
    summary: "M12: the first fails, the last one does not, and so the copy is taken for good",
    build: (world) => {
      readByCopy(world, mutants.LastBioDecides);
    },
  },
  "no-record": {
    expect: "ok",
    summary: "there is no memory to remember a copy, and that is what the caller is told",
    build: (world) => {
      noRecord(world);
    },
  },
  "no-record-says-nothing": {
    expect: "BUG",
    summary: "M12b: the same, and the caller is told that all is well",
    build: (world) => {
      noRecord(world, mutants.SaysNothing);
    },
  },
};
