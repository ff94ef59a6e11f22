import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Bio } from "./bio.ts";
import { BioList, unlinkBio } from "./bio-list.ts";

function bios(count: number): Bio[] {
  return Array.from({ length: count }, (_, serial) => {
    const bio = new Bio();
    bio.serial = serial;
    return bio;
  });
}

function listOf(...members: readonly Bio[]): BioList {
  const list = new BioList();
  for (const bio of members) list.add(bio);
  return list;
}

const [a, b, c] = bios(3) as [Bio, Bio, Bio];

/** Takes everything off, so that the bios can be used again. */
function popAll(list: BioList): Bio[] {
  const popped: Bio[] = [];
  for (let bio = list.pop(); bio !== null; bio = list.pop()) {
    expect(bio.next).toBeNull();
    popped.push(bio);
  }
  expect([list.head, list.tail, list.isEmpty, list.size]).toEqual([null, null, true, 0]);
  return popped;
}

describe("BioList", () => {
  it("T2.1: bios come off in the order in which they were added, those at the head first", () => {
    const list = listOf(a, b);
    list.addHead(c);
    expect(popAll(list)).toEqual([c, a, b]);
  });

  it("addHead on an empty list sets both ends", () => {
    const list = new BioList();
    list.addHead(a);
    list.add(b);
    expect([list.head, list.tail]).toEqual([a, b]);
    expect(popAll(list)).toEqual([a, b]);
  });

  it("T2.2: merge puts the other list behind or before, and leaves it pointing there", () => {
    const [behind, source] = [listOf(a), listOf(b, c)];
    behind.merge(source);
    expect([[...behind], behind.size]).toEqual([[a, b, c], 3]);
    expect([source.head, source.tail]).toEqual([b, c]);
    popAll(behind);
    const [before, again] = [listOf(a), listOf(b, c)];
    before.mergeHead(again);
    expect([[...before], before.tail]).toEqual([[b, c, a], a]);
    popAll(before);
  });

  it("T2.3: merging nothing changes nothing, and merging into nothing takes both ends over", () => {
    const list = listOf(a, b);
    list.merge(new BioList());
    list.mergeHead(new BioList());
    expect([[...list], list.tail]).toEqual([[a, b], b]);
    for (const how of ["merge", "mergeHead"] as const) {
      const empty = new BioList();
      empty[how](list);
      expect([empty.head, empty.tail]).toEqual([a, b]);
    }
    const last = new BioList();
    last.mergeInit(list);
    expect([list.isEmpty, list.tail]).toEqual([true, null]);
    expect(popAll(last)).toEqual([a, b]);
  });

  it("T2.4: get detaches all, still linked", () => {
    const list = listOf(a, b);
    expect(list.get()).toBe(a);
    expect([a.next, list.isEmpty, list.tail, list.pop()]).toEqual([b, true, null, null]);
    expect(() => {
      list.add(a);
    }).toThrow("list corruption");
    expect([unlinkBio(a), a.next, unlinkBio(b)]).toEqual([b, null, null]);
    list.add(a);
    expect(popAll(list)).toEqual([a]);
  });

  it("T2.5: parting a list keeps the order on both sides and loses nobody", () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 30 }), (choices) => {
        const members = bios(choices.length);
        const list = listOf(...members);
        const [picked, others] = [new BioList(), new BioList()];
        for (let bio = list.pop(); bio !== null; bio = list.pop()) {
          (choices[bio.serial] === true ? picked : others).add(bio);
        }
        expect([...picked]).toEqual(members.filter((_, n) => choices[n]));
        expect([...others]).toEqual(members.filter((_, n) => !choices[n]));
        expect(picked.size + others.size).toBe(members.length);
      }),
    );
  });

  it("a bio on two lists, a list merged into itself, a listed bio that is reset: corruption", () => {
    const list = listOf(a);
    for (const defect of [
      () => {
        new BioList().add(a);
      },
      () => {
        list.addHead(a);
      },
      () => {
        list.merge(list);
      },
      () => {
        list.mergeHead(list);
      },
    ]) {
      expect(defect).toThrow("list corruption");
    }
    expect(() => {
      a.reset();
    }).toThrow("while it was on a list");
    expect(popAll(list)).toEqual([a]);
  });

  it("does what an array would do, whatever is asked of it", () => {
    const actions = fc.constantFrom("add", "addHead", "pop", "get", "merge", "mergeHead", "init");
    fc.assert(
      fc.property(fc.array(actions, { maxLength: 60 }), (script) => {
        const list = new BioList();
        let model: Bio[] = [];
        for (const action of script) {
          const [first, second] = bios(2) as [Bio, Bio];
          if (action === "add" || action === "addHead") {
            list[action](first);
            model = action === "add" ? [...model, first] : [first, ...model];
          } else if (action === "merge" || action === "mergeHead") {
            list[action](listOf(first, second));
            model = action === "merge" ? [...model, first, second] : [first, second, ...model];
          } else if (action === "pop") {
            expect(list.pop()).toBe(model.shift() ?? null);
          } else {
            if (action === "get") expect(list.get()).toBe(model[0] ?? null);
            else list.init();
            model = [];
          }
          expect([...list]).toEqual(model);
          expect([list.head, list.tail]).toEqual([model[0] ?? null, model.at(-1) ?? null]);
          expect([list.tail?.next ?? null, list.size]).toEqual([null, model.length]);
        }
      }),
    );
  });
});
