import fc from "fast-check";
import { expect, it } from "vitest";
import { ServiceTree, type TreeNode } from "./service-tree.ts";

function nodeAt(vdisktime: bigint): TreeNode {
  return { vdisktime, arrival: 0, height: 0, left: null, right: null };
}

/** How many links lie between the root and the node furthest from it. */
function depthOf(node: TreeNode | null): number {
  return node === null ? 0 : 1 + Math.max(depthOf(node.left), depthOf(node.right));
}

it("nodes stand in the order of their times, and equals in the order in which they came", () => {
  const step = fc.tuple(fc.boolean(), fc.bigInt({ min: -4n, max: 4n }), fc.nat(20));
  const start = fc.constantFrom(0n, 2n ** 63n - 1n);
  fc.assert(
    fc.property(start, fc.array(step, { maxLength: 100 }), (origin, steps) => {
      const tree = new ServiceTree();
      let model: TreeNode[] = [];
      for (const [inserts, offset, number] of steps) {
        if (inserts) {
          const node = nodeAt(BigInt.asIntN(64, origin + offset));
          tree.insert(node);
          const before = (other: TreeNode): boolean =>
            BigInt.asIntN(64, node.vdisktime - other.vdisktime) >= 0n;
          model = [...model.filter(before), node, ...model.filter((other) => !before(other))];
        } else if (model.length > 0) {
          const [node] = model.splice(number % model.length, 1);
          if (node !== undefined) tree.remove(node);
        }
        const standing = [...tree];
        expect(standing.length).toBe(model.length);
        expect(standing.every((node, index) => node === model[index])).toBe(true);
        expect(tree.first).toBe(model[0] ?? null);
        expect(tree.last).toBe(model.at(-1) ?? null);
        expect(tree.isEmpty).toBe(model.length === 0);
      }
    }),
  );
});

it("ten thousand nodes that come in order are some forty deep, not ten thousand", () => {
  const tree = new ServiceTree();
  const nodes = Array.from({ length: 10_000 }, (_, number) => nodeAt(BigInt(number)));
  for (const node of nodes) tree.insert(node);
  const root = nodes.reduce((highest, node) => (node.height > highest.height ? node : highest));
  expect(depthOf(root)).toBeLessThan(60);
});

it("a node that does not stand where its time says is missed", () => {
  const tree = new ServiceTree();
  for (const time of [1n, 2n, 3n]) tree.insert(nodeAt(time));
  expect(() => {
    tree.remove(nodeAt(2n));
  }).toThrow("a group is not where its virtual time says");
});
